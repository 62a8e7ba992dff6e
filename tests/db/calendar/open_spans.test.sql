begin;
select plan(16);

create temporary table session_case as
select s.name, s.time_zone, s.calendar, agg.session_minutes(jsonb_build_object('time_zone', s.time_zone, 'weekly', s.weekly)) as minutes
from (
  values
    ('fx', 'America/New_York', 'FX', jsonb '[{"open": "Sun 17:00", "close": "Fri 17:00"}]'),
    ('day', 'America/New_York', 'XNYS', '[{"open": "Fri 09:30", "close": "Fri 16:00"}, {"open": "Mon 09:30", "close": "Mon 16:00"}]'),
    ('north', 'Europe/Athens', null, '[{"open": "Sat 22:30", "close": "Sun 05:00"}, {"open": "SUN 06:00", "close": "sun 08:00"}]'),
    ('south', 'America/Santiago', null, '[{"open": "Sat 12:00", "close": "Sun 09:00"}]'),
    ('half hour', 'Australia/Lord_Howe', 'XNYS', '[{"open": "Sun 00:30", "close": "Sun 03:00"}, {"open": "Sun 04:00", "close": "Sun 05:00"}]'),
    ('week end', 'Asia/Kolkata', null, '[{"open": "Sun 22:15", "close": "Mon 01:15"}]')
) as s (name, time_zone, calendar, weekly);

-- Five days around each change of these clocks in 2026.
create temporary table span as
select s.*, w.from_utc, w.from_utc + interval '5 days' as to_utc
from session_case as s
cross join (
  values (timestamptz '2026-03-05 00:00Z'), ('2026-03-26 00:00Z'), ('2026-04-01 00:00Z'), ('2026-09-02 00:00Z'), ('2026-10-01 00:00Z'), ('2026-10-23 00:00Z')
) as w (from_utc);
create temporary table open_span as
select s.name, s.from_utc, agg.open_spans(s.time_zone, s.minutes, null, s.from_utc, s.to_utc) as spans from span as s;

-- Of minutes that the clock shows twice, the session says nothing.
create temporary table minute as
select s.name, s.from_utc, m.ts_utc, s.minutes @> w.minute as is_open, count(*) over (partition by s.name, s.from_utc, l.wall) as times
from span as s
cross join lateral generate_series(s.from_utc, s.to_utc - interval '1 minute', interval '1 minute') as m (ts_utc)
cross join lateral (select m.ts_utc at time zone s.time_zone) as l (wall)
cross join lateral (select (extract(epoch from l.wall - date_trunc('week', l.wall)) / 60)::integer) as w (minute);
select cmp_ok((select count(*) from minute as m where m.times > 1), '>=', 300::bigint, 'they hold minutes that a clock shows twice');
select is_empty(
  $$
    select m.name, m.ts_utc, m.is_open
    from minute as m
    join open_span as o using (name, from_utc)
    where m.times = 1 and (o.spans @> m.ts_utc) <> m.is_open
  $$,
  'open_spans() agrees with the wall clock, minute by minute, around the changes of clocks on both hemispheres'
);
create function pg_temp.disagreements() returns setof text
language sql as $$
  select s.name || ' ' || s.from_utc
  from span as s
  cross join lateral (select agg.open_spans(s.time_zone, s.minutes, s.calendar, s.from_utc, s.to_utc)) as o (spans)
  cross join lateral (
    select coalesce(range_agg(p.span), '{}')
    from generate_series(s.from_utc, s.to_utc - interval '3 hours', interval '3 hours') as h (ts_utc)
    cross join lateral unnest(agg.open_spans(s.time_zone, s.minutes, s.calendar, h.ts_utc, h.ts_utc + interval '3 hours')) as p (span)
  ) as u (spans)
  where o.spans is distinct from u.spans
$$;
select is_empty('select * from pg_temp.disagreements()', 'in parts of three hours it gives the same spans');
set local timezone = 'America/New_York';
select is_empty('select * from pg_temp.disagreements()', 'whatever the time zone of the session of Postgres');
set local timezone = 'UTC';

create function pg_temp.open_in(p_zone text, p_open text, p_close text, p_from timestamptz, p_to timestamptz) returns tstzmultirange
language sql as $$
  select agg.open_spans(
    p_zone, agg.session_minutes(jsonb_build_object('time_zone', p_zone, 'weekly', jsonb_build_array(jsonb_build_object('open', p_open, 'close', p_close)))),
    null, p_from, p_to
  )
$$;
select is(
  pg_temp.open_in('America/New_York', 'Sun 17:00', 'Fri 17:00', '2026-03-06 00:00Z', '2026-03-14 00:00Z'),
  '{[2026-03-06 00:00Z,2026-03-06 22:00Z),[2026-03-08 21:00Z,2026-03-13 21:00Z)}', 'the week of New York opens an hour earlier in summer'
);
select is(
  pg_temp.open_in('America/New_York', 'Sun 00:30', 'Sun 01:30', '2026-11-01 00:00Z', '2026-11-02 00:00Z'),
  '{[2026-11-01 04:30Z,2026-11-01 05:30Z)}', 'a session ends at the first of two instants that show its time'
);
select is(
  pg_temp.open_in('America/New_York', 'Sun 01:30', 'Sun 02:30', '2026-11-01 00:00Z', '2026-11-02 00:00Z'),
  '{[2026-11-01 05:30Z,2026-11-01 07:30Z)}', 'and begins there'
);
select is(
  pg_temp.open_in('America/New_York', 'Sun 02:30', 'Sun 04:00', '2026-03-08 00:00Z', '2026-03-09 00:00Z'),
  '{[2026-03-08 07:30Z,2026-03-08 08:00Z)}', 'a time that is left out has the offset before the change'
);
select is(
  pg_temp.open_in('America/New_York', 'Sun 02:30', 'Sun 03:00', '2026-03-08 00:00Z', '2026-03-09 00:00Z'), '{}',
  'a session within the hour that is left out does not open'
);
select is(
  pg_temp.open_in('Australia/Lord_Howe', 'Sun 01:00', 'Sun 02:00', '2026-04-04 00:00Z', '2026-04-06 00:00Z'),
  '{[2026-04-04 14:00Z,2026-04-04 15:30Z)}', 'on Lord Howe Island the hour from 01:00 has ninety minutes when summer time ends'
);

-- A calendar of Tokyo, whose trading days begin at 17:00 of the day before.
insert into agg.calendar (name, time_zone, day_start) values ('TEST', 'Asia/Tokyo', '17:00');
insert into agg.calendar_day (calendar, day, kind, opens_at, closes_at) values
  ('TEST', '2026-06-02', 'closed', null, null),
  ('TEST', '2026-06-03', 'early_close', null, '12:00'),
  ('TEST', '2026-06-04', 'late_opening', '20:00', null),
  ('TEST', '2026-06-05', 'closed', null, null), ('TEST', '2026-06-05', 'special_opening', '18:00', '19:15'),
  ('TEST', '2026-06-07', 'special_opening', '10:00', '17:00');
select is(
  agg.open_spans('UTC', agg.session_minutes('{"time_zone": "UTC", "weekly": [{"open": "Mon 00:00", "close": "Sat 00:00"}]}'), 'TEST', '2026-05-31 00:00Z', '2026-06-09 00:00Z'),
  -- The trading day of 2 June is 1 June 08:00Z to 2 June 08:00Z, and so on.
  '{[2026-06-01 00:00Z,2026-06-01 08:00Z),[2026-06-02 08:00Z,2026-06-03 03:00Z),[2026-06-03 11:00Z,2026-06-04 08:00Z),'
    '[2026-06-04 09:00Z,2026-06-04 10:15Z),[2026-06-05 08:00Z,2026-06-06 00:00Z),[2026-06-07 01:00Z,2026-06-07 08:00Z),'
    '[2026-06-08 00:00Z,2026-06-09 00:00Z)}',
  'a calendar closes, cuts and opens within its trading days'
);
select is(
  agg.open_spans(null, null, 'TEST', '2026-06-01 00:00Z', '2026-06-03 12:00Z'),
  '{[2026-06-01 00:00Z,2026-06-01 08:00Z),[2026-06-02 08:00Z,2026-06-03 03:00Z),[2026-06-03 08:00Z,2026-06-03 12:00Z)}'
    ::tstzmultirange - '{[2026-06-03 08:00Z,2026-06-03 11:00Z)}',
  'without a session all is open but for the calendar'
);
select is(
  agg.open_spans(null, null, null, '2026-06-01 00:02Z', '2026-06-03 12:00Z'), '{[2026-06-01 00:02Z,2026-06-03 12:00Z)}',
  'without both all is open'
);
select is(agg.open_spans(null, null, null, '2026-06-01 00:00Z', '2026-06-01 00:00Z'), '{}', 'nothing is open in no time');
select is(
  agg.open_spans(null, null, null, '-infinity', 'infinity'), '{[1900-01-01 00:00Z,2200-01-01 00:00Z)}', 'the ends of time are those of bars'
);
select is(
  agg.open_spans('UTC', agg.session_minutes('{"time_zone": "UTC", "weekly": [{"open": "Fri 22:00", "close": "Sat 00:00"}]}'), 'NONE', '2199-12-25 00:00Z', 'infinity'),
  '{[2199-12-27 22:00Z,2199-12-28 00:00Z)}', 'a calendar that is not there changes nothing'
);

select * from finish();
rollback;
