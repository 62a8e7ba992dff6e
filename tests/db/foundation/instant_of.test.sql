begin;
select plan(4);

select results_eq(
  $$
    select agg.instant_of(w.wall, w.time_zone)
    from (
      values
        (1, timestamp '2026-11-01 00:59', 'America/New_York'), (2, '2026-11-01 01:00', 'America/New_York'),
        (3, '2026-11-01 01:59:59', 'America/New_York'), (4, '2026-11-01 02:00', 'America/New_York'),
        (5, '2026-03-08 01:59', 'America/New_York'), (6, '2026-03-08 02:30', 'America/New_York'),
        (7, '2026-03-08 03:00', 'America/New_York'),
        (8, '2026-04-05 01:29', 'Australia/Lord_Howe'), (9, '2026-04-05 01:45', 'Australia/Lord_Howe'),
        (10, '2026-04-05 02:00', 'Australia/Lord_Howe'), (11, '2026-10-04 02:15', 'Australia/Lord_Howe'),
        (12, '2026-02-28 23:30', 'Asia/Kolkata'), (13, '2026-01-01 00:00', null)
    ) as w (n, wall, time_zone)
    order by w.n
  $$,
  $$
    values
      (timestamptz '2026-11-01 04:59Z'), ('2026-11-01 05:00Z'), ('2026-11-01 05:59:59Z'), ('2026-11-01 07:00Z'),
      ('2026-03-08 06:59Z'), ('2026-03-08 07:30Z'), ('2026-03-08 07:00Z'),
      ('2026-04-04 14:29Z'), ('2026-04-04 14:45Z'), ('2026-04-04 15:30Z'), ('2026-10-03 15:45Z'),
      ('2026-02-28 18:00Z'), ('2026-01-01 00:00Z')
  $$,
  'instant_of() takes the earlier of two instants, and the offset before the change in a gap'
);

-- Every quarter of an hour around each change of clocks that move by an hour, by half an hour, by two, and by a day.
create temporary table change as
select z.time_zone, h.ts_utc
from unnest(array[
  'America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'America/Santiago', 'Africa/Casablanca', 'Antarctica/Troll',
  'Asia/Tehran', 'Pacific/Apia', 'America/Havana', 'Asia/Kathmandu'
]) as z (time_zone)
cross join generate_series(timestamptz '2008-01-01 00:00Z', '2027-01-01 00:00Z', interval '1 day') as d (ts_utc)
cross join lateral (
  -- Only the days at whose end the clock is another than at their begin, hour by hour.
  select g.ts_utc
  from generate_series(d.ts_utc, d.ts_utc + interval '23 hours', interval '1 hour') as g (ts_utc)
  where (d.ts_utc - interval '1 hour') at time zone z.time_zone - ((d.ts_utc - interval '1 hour') at time zone 'UTC')
    <> (d.ts_utc + interval '23 hours') at time zone z.time_zone - ((d.ts_utc + interval '23 hours') at time zone 'UTC')
) as h
where (h.ts_utc at time zone z.time_zone) - (h.ts_utc at time zone 'UTC')
  <> ((h.ts_utc - interval '1 hour') at time zone z.time_zone) - ((h.ts_utc - interval '1 hour') at time zone 'UTC');
create temporary table instant as
select c.time_zone, q.ts_utc, q.ts_utc at time zone c.time_zone as wall
from change as c
cross join lateral generate_series(c.ts_utc - interval '27 hours', c.ts_utc + interval '27 hours', interval '15 minutes') as q (ts_utc);

select cmp_ok((select count(*) from change), '>', 300::bigint, 'the changes of the clock are found');
select is_empty(
  $$
    select i.time_zone, i.wall, min(i.ts_utc), agg.instant_of(i.wall, i.time_zone)
    from instant as i
    group by i.time_zone, i.wall
    having agg.instant_of(i.wall, i.time_zone) <> min(i.ts_utc)
  $$,
  'instant_of() finds the earliest instant at which the clock shows a time'
);
set local timezone = 'America/New_York';
select is_empty(
  $$ select i.time_zone, i.wall from instant as i where agg.instant_of(i.wall, i.time_zone) > i.ts_utc $$,
  'whatever the time zone of the session, no instant is before the boundary that its wall clock names'
);

select * from finish();
rollback;
