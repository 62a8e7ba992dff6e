comment on function agg.due_at is
'Returns when the window after a cursor may be decided: its end plus the delay.';

create function agg.due_at(p_cursor_utc timestamptz, p_window_length interval, p_delay_seconds integer)
returns timestamptz
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select p_cursor_utc + 2 * p_window_length + make_interval(secs => p_delay_seconds);
$$;
