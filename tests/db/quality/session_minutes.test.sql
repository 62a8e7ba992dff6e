begin;
select plan(5);

create temporary table session_case as
select s.name, s.time_zone, agg.session_minutes(jsonb_build_object('time_zone', s.time_zone, 'weekly', s.weekly)) as minutes
from (
  values
    ('equities', 'America/New_York', (
      select jsonb_agg(jsonb_build_object('open', d.name || ' 09:30', 'close', d.name || ' 16:00'))
      from unnest(array['Mon', 'Tue', 'Wed', 'Thu', 'Fri']) as d (name)
    )),
    ('fx', 'America/New_York', '[{"open": "Sun 17:00", "close": "Fri 17:00"}]'),
    ('night', 'Asia/Tokyo', '[{"open": "Sun 22:30", "close": "Mon 01:15"}, {"open": "MON 00:45", "close": "mon 02:00"}]')
) as s (name, time_zone, weekly);

-- Written from the wall clock: day of the week (0 is Sunday) and time of day.
create function pg_temp.is_open(p_session text, p_local timestamp) returns boolean
language sql as $$
  select case p_session
    when 'equities' then extract(dow from p_local) between 1 and 5 and p_local::time >= '09:30' and p_local::time < '16:00'
    when 'fx' then case extract(dow from p_local)
      when 6 then false
      when 0 then p_local::time >= '17:00'
      when 5 then p_local::time < '17:00'
      else true
    end
    else (extract(dow from p_local) = 0 and p_local::time >= '22:30') or (extract(dow from p_local) = 1 and p_local::time < '02:00')
  end
$$;

-- A week around each change of the New York clock in 2025 (9 March, 2 November).
create temporary table minute_of_year as
select g.ts_utc
from (values (timestamptz '2025-03-06 00:00+00'), (timestamptz '2025-10-30 00:00+00')) as w (ts_utc)
cross join lateral generate_series(w.ts_utc, w.ts_utc + interval '7 days' - interval '1 minute', interval '1 minute') as g (ts_utc);

create temporary table session_open as
select s.name, agg.open_spans(s.time_zone, s.minutes, null, '2025-03-01 00:00+00', '2025-11-10 00:00+00') as spans
from session_case as s;
create function pg_temp.open_minutes(p_spans tstzmultirange, p_from timestamptz, p_to timestamptz) returns bigint
language sql as $$
  select coalesce(sum(extract(epoch from upper(o.span) - lower(o.span)) / 60), 0)::bigint
  from unnest(p_spans * tstzmultirange(tstzrange(p_from, p_to))) as o (span)
$$;

select is_empty(
  $$
    select s.name, m.ts_utc
    from session_case as s
    join session_open as o on o.name = s.name
    cross join minute_of_year as m
    where (o.spans @> m.ts_utc) <> pg_temp.is_open(s.name, m.ts_utc at time zone s.time_zone)
  $$,
  'session_minutes() and open_spans() agree with the wall clock, minute by minute, around both changes of the clock'
);
select is_empty(
  $$
    select s.name, w.ts_utc, l.minutes
    from session_case as s
    join session_open as o on o.name = s.name
    cross join (values (5), (60)) as l (minutes)
    cross join lateral (
      select m.ts_utc from minute_of_year as m where mod(extract(epoch from m.ts_utc), l.minutes * 60) = 0
    ) as w
    where pg_temp.open_minutes(o.spans, w.ts_utc, w.ts_utc + l.minutes * interval '1 minute') <> (
      select count(*)
      from generate_series(0, l.minutes - 1) as m (n)
      where pg_temp.is_open(s.name, (w.ts_utc + m.n * interval '1 minute') at time zone s.time_zone)
    )
  $$,
  'open_spans() holds the open minutes of every 5m and 1h window of those weeks'
);
select results_eq(
  $$
    select o.name, sum(pg_temp.open_minutes(o.spans, d.ts_utc, d.ts_utc + interval '24 hours'))
    from session_open as o
    cross join generate_series(timestamptz '2025-06-02 00:00+00', timestamptz '2025-06-08 00:00+00', interval '1 day') as d (ts_utc)
    group by 1
    order by 1
  $$,
  $$ values ('equities', 1950::numeric), ('fx', 7200), ('night', 210) $$,
  'open_spans() sums to the open minutes of a week, also over its end'
);
select is(agg.session_minutes('"24x7"'), null, 'session_minutes() restricts nothing for 24x7');
select is(agg.session_minutes(null), null, 'session_minutes() restricts nothing where nothing is said');

select * from finish();
rollback;
