comment on function agg.open_minutes is
  'For how many of the p_minutes (at most a day) after p_from_utc the session is open. Where the clock changes within them, the wall clock of their start counts.';

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
