comment on function agg.first_run_at is
'Returns when a task whose cursor has just been set to its start runs first: when its first window may be decided. With a session or a calendar it is at once, since the first windows may be closed ones, which need no time to pass.';

create function agg.first_run_at(p_cursor_utc timestamptz, p_due_at timestamptz, p_session_minutes int4multirange, p_calendar text)
returns timestamptz
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case when p_session_minutes is null and p_calendar is null then p_due_at else p_cursor_utc end;
$$;
