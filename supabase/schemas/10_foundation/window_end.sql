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
  return (agg.window_bounds(p_ts_utc, p_length, p_time_zone, p_origin)).ends_utc;
end;
$$;
