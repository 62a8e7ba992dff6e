begin;
select plan(4);

-- For every number of minutes from 12 to 60 one symbol: 5m windows filled evenly, and one filled window after window, so that
-- the same coverage comes from many poor and from few full 5m bars. A minute of the next hour lets the task decide the first.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select v.symbol, timestamptz '2025-07-01 00:00+00' + v.minute * interval '1 minute', 1, 1, 1, 1
from generate_series(12, 60) as c (minutes)
cross join lateral (
  select 'EVEN' || c.minutes as symbol, w.n * 5 + m.n as minute
  from generate_series(0, 11) as w (n)
  cross join generate_series(0, 4) as m (n)
  where m.n * 12 + w.n < c.minutes
  union all
  select 'FULL' || c.minutes, m.n
  from generate_series(0, c.minutes - 1) as m (n)
  union all
  select k.name || c.minutes, 60
  from unnest(array['EVEN', 'FULL']) as k (name)
) as v;

insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
select distinct b.canonical_symbol, true, jsonb '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}'
from public.data_bars as b;
call tests.run('2025-07-01 12:00+00');

-- Minutes in windows of fewer than three make no 5m bar, and count in the hour.
create temporary table expected as
select b.canonical_symbol as symbol, count(*)::integer as covered
from public.data_bars as b
where b.ts_utc < '2025-07-01 01:00+00'
group by b.canonical_symbol;

select is_empty(
  $$
    select e.symbol, e.covered, d.quality_score
    from expected as e
    left join public.derived_data_bars as d on d.canonical_symbol = e.symbol and d.timeframe = '1h' and d.deleted_at is null
    where d.quality_score is distinct from
      case when e.covered = 60 then 2 when e.covered between 48 and 59 then 1 when e.covered between 36 and 47 then 0 end
  $$,
  'build_windows() scores covered minutes: 60 is 2, 48 is 1, 36 is 0, for every coverage reached in two ways'
);
select results_eq(
  $$
    select e.covered, max(d.quality_score)::integer
    from expected as e
    left join public.derived_data_bars as d on d.canonical_symbol = e.symbol and d.timeframe = '1h' and d.deleted_at is null
    where e.covered in (60, 59, 48, 47, 36, 35)
    group by 1
    order by 1
  $$,
  'values (35, null::integer), (36, 0), (47, 0), (48, 1), (59, 1), (60, 2)',
  'build_windows() meets both sides of every threshold of an hour'
);
select results_eq(
  $$ select d.canonical_symbol, d.covered_minutes from public.derived_data_bars as d where d.timeframe = '1h' order by 1 $$,
  'select e.symbol, e.covered from expected as e order by 1',
  'build_windows() carries covered minutes through the levels'
);
select results_eq(
  $$
    select d.canonical_symbol, d.timeframe, d.quality_score::integer, count(*)
    from public.derived_data_bars as d
    where d.canonical_symbol in ('EVEN36', 'EVEN48') and d.deleted_at is null
    group by 1, 2, 3
    order by 1, 2
  $$,
  $$ values ('EVEN36', '1h', 0, 1::bigint), ('EVEN36', '5m', 0, 12), ('EVEN48', '1h', 1, 1), ('EVEN48', '5m', 1, 12) $$,
  'build_windows() scores an hour of twelve poor five-minutes poor and one of twelve good ones good'
);

select * from finish();
rollback;
