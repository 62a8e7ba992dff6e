comment on function agg.due_at is
'Returns when the window after a cursor may be decided: its end plus the delay.';

create function agg.due_at(
  p_cursor_utc timestamptz,
  p_window_length interval,
  p_delay_seconds integer,
  p_time_zone text default null,
  p_origin timestamp default '2000-01-03 00:00:00'
)
returns timestamptz
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return agg.window_end(agg.window_end(p_cursor_utc, p_window_length, p_time_zone, p_origin), p_window_length, p_time_zone, p_origin)
    + make_interval(secs => p_delay_seconds);
end;
$$;
