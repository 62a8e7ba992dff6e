comment on function agg.window_end is
'The end of the window that an instant lies in; see agg.window_bounds.';

create function agg.window_end(p_ts_utc timestamptz, p_length interval, p_time_zone text, p_origin timestamp)
returns timestamptz
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    -- Added in UTC, where a day has 24 hours, whatever the session says.
    when p_time_zone is null then (date_bin(p_length, p_ts_utc, p_origin at time zone 'UTC') at time zone 'UTC' + p_length) at time zone 'UTC'
    else (agg.window_bounds(p_ts_utc, p_length, p_time_zone, p_origin)).ends_utc
  end;
end;
$$;
