comment on function agg.bootstrap_cursor is
'Returns the cursor of a task that has decided nothing: the window before its first whole window at or after p_start_utc.';

create function agg.bootstrap_cursor(
  p_start_utc timestamptz, p_window_length interval, p_time_zone text default null, p_origin timestamp default '2000-01-03 00:00:00'
)
returns timestamptz
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return agg.window_start(p_start_utc - interval '1 microsecond', p_window_length, p_time_zone, p_origin);
end;
$$;
