comment on function agg.window_end is
'The end of the window that an instant lies in; see agg.window_bounds.
A plain expression, which becomes part of the statement that calls it. p_length is in hours and minutes: a day of timestamptz depends on the session.';

create function agg.window_end(p_ts_utc timestamptz, p_length interval, p_time_zone text, p_origin timestamp)
returns timestamptz
language sql
stable
parallel safe
return case
  when p_time_zone is null then date_bin(p_length, p_ts_utc, p_origin at time zone 'UTC') + p_length
  else (agg.window_bounds(p_ts_utc, p_length, p_time_zone, p_origin)).ends_utc
end;
