comment on function agg.open_minutes is
  'How many of the p_minutes (at most a day) from p_from_utc the session is open. A window across a change of the clock counts from the wall clock of its start.';

create function agg.open_minutes(
  p_from_utc timestamptz, p_minutes integer, p_time_zone text, p_session_minutes int4multirange
)
returns integer
language sql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(upper(o.span) - lower(o.span)), 0)::integer
  from agg.minute_of_week(p_from_utc, p_time_zone) as w (minute)
  cross join lateral unnest(
    p_session_minutes * int4multirange(int4range(w.minute, w.minute + p_minutes))
  ) as o (span);
$$;
