comment on function agg.open_spans is
  'What is open from p_from up to p_to: the weekly session (null: all of it), without what the calendar closes, with what it opens. Local times become instants by agg.instant_of. Between the first and the last instant of agg.defaults only.';

create function agg.open_spans(
  p_time_zone text, p_session_minutes int4multirange, p_calendar text, p_from timestamptz, p_to timestamptz
)
returns tstzmultirange
language plpgsql
stable
parallel safe
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  v_asked tstzmultirange;
  v_open tstzmultirange;
  v_closed tstzmultirange;
  v_opened tstzmultirange;
  v_from timestamptz;
  v_to timestamptz;
  v_zone text;
begin
  select greatest(p_from, f.least_utc), least(p_to, f.end_utc) into v_from, v_to from agg.defaults as f;
  if v_from >= v_to then
    return tstzmultirange();
  end if;
  v_asked := tstzmultirange(tstzrange(v_from, v_to));

  if p_session_minutes is null then
    v_open := v_asked;
  else
    -- Whole weeks of the wall clock, and of these what lies within a day of the question: no clock is further from UTC than that.
    select coalesce(range_agg(tstzrange(i.opens, i.closes)), '{}') into v_open
    from (
      select date_trunc('week', v_from at time zone 'UTC') - interval '1 week', (v_to at time zone 'UTC') + interval '1 day'
    ) as b (first_week, until)
    cross join lateral generate_series(b.first_week, b.until, interval '1 week') as w (week)
    cross join lateral unnest(p_session_minutes) as s (span)
    cross join lateral (
      select w.week + make_interval(mins => lower(s.span)), w.week + make_interval(mins => upper(s.span))
    ) as l (opens, closes)
    cross join lateral (
      select agg.instant_of(l.opens, p_time_zone), agg.instant_of(l.closes, p_time_zone)
      where l.closes >= (v_from at time zone 'UTC') - interval '1 day' and l.opens <= b.until
      offset 0
    ) as i (opens, closes)
    -- What lies in an hour that the clock leaves out is not open.
    where i.opens < i.closes;
  end if;

  if p_calendar is not null then
    select c.time_zone into v_zone from agg.calendar as c where c.name = p_calendar;
    select
      range_agg(tstzrange(i.from_utc, i.to_utc)) filter (where i.is_closed),
      range_agg(tstzrange(i.from_utc, i.to_utc)) filter (where not i.is_closed)
    into v_closed, v_opened
    from (
      select d.is_closed, agg.instant_of(d.from_wall, v_zone) as from_utc, agg.instant_of(d.to_wall, v_zone) as to_utc
      from agg.calendar_day_span as d
      where d.calendar = p_calendar
        and d.day between (v_from at time zone v_zone)::date - 1 and (v_to at time zone v_zone)::date + 1
      offset 0
    ) as i
    where i.from_utc < i.to_utc;
    v_open := v_open - coalesce(v_closed, '{}') + coalesce(v_opened, '{}');
  end if;
  return v_open * v_asked;
end;
$$;
