begin;
select plan(7);

call tests.clear();
call tests.add_asset('ACME');
-- One minute in every 5m window that is not in a gap. There is a gap at the start, a weekend, and random ones.
select setseed(0.3);
create temporary table filled as
select g.ts_utc
from generate_series(timestamptz '2025-07-01 02:30+00', timestamptz '2025-07-07 12:00+00', interval '5 minutes') as g (ts_utc)
where random() < 0.9 and g.ts_utc not between '2025-07-05 00:00+00' and '2025-07-06 23:55+00' or g.ts_utc = '2025-07-07 12:00+00';
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'ACME', f.ts_utc + interval '3 minutes', 1, 1, 1, 1 from filled as f;
call tests.run('2025-07-08 00:00+00');

create temporary table gap as select g.* from public.agg_gaps('ACME', '5m') as g;
select results_eq(
  $$
    select w.ts_utc
    from gap as g
    cross join lateral generate_series(g.gap_from_utc, g.gap_to_utc - interval '5 minutes', interval '5 minutes') as w (ts_utc)
    order by 1
  $$,
  $$
    select w.ts_utc
    from generate_series(timestamptz '2025-07-01 00:00+00', timestamptz '2025-07-07 12:00+00', interval '5 minutes') as w (ts_utc)
    where w.ts_utc not in (select f.ts_utc from filled as f)
    order by 1
  $$,
  'agg_gaps() covers every empty window between start and cursor and no other'
);
select is_empty(
  $$ select g.gap_from_utc from gap as g where g.windows * interval '5 minutes' <> g.gap_to_utc - g.gap_from_utc $$,
  'agg_gaps() counts the windows of a gap'
);
select is_empty(
  $$ select g.gap_from_utc from gap as g join gap as n on n.gap_from_utc = g.gap_to_utc $$, 'agg_gaps() returns runs, not pieces of them'
);
select results_eq(
  $$ select g.* from public.agg_gaps('ACME', '5m', '2025-07-05 06:00+00', '2025-07-05 07:00+00') as g order by 1 $$,
  $$ values (timestamptz '2025-07-05 06:00+00', timestamptz '2025-07-05 07:00+00', 12::bigint) $$,
  'agg_gaps() keeps to the range that is asked for'
);
select is_empty($$ select g.* from public.agg_gaps('NOBODY', '5m') as g $$, 'agg_gaps() has no row for an unknown task');
select is_empty(
  $$ select g.* from gap as g where g.gap_to_utc > '2025-07-07 12:00+00' $$, 'agg_gaps() reports nothing that is not decided'
);

-- Tuesday, 1 July 2025.
call tests.add_asset('OOS', '{"session": {"time_zone": "UTC", "weekly": [{"open": "Tue 10:03", "close": "Tue 11:00"}]}}');
call tests.add_minute('OOS', '2025-07-01 10:01+00');
call tests.add_minutes('OOS', '2025-07-01 10:20+00', '2025-07-01 10:40+00');
call tests.run('2025-07-01 12:00+00');
select results_eq(
  $$ select g.* from public.agg_gaps('OOS', '5m', p_to_utc => '2025-07-01 10:20+00') as g $$,
  $$ values (timestamptz '2025-07-01 10:00+00', timestamptz '2025-07-01 10:20+00', 4::bigint) $$,
  'a minute outside the session fills no window'
);

select * from finish();
rollback;
