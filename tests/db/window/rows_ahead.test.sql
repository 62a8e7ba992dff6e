begin;
select plan(6);

-- Rows ahead of a cursor that pgbars has not built: a bar as it has to be, one that is wrong, and one whose window has no minutes.
call tests.add_asset('ACME');
call tests.add_asset('OTHER');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:20+00');
call tests.add_minutes('OTHER', '2025-07-01 00:00+00', '2025-07-01 00:20+00');
call tests.run('2025-07-01 00:10+00');
create temporary table stranger as
select d.* from public.derived_data_bars as d where d.canonical_symbol = 'ACME' and d.timeframe = '5m' and d.ts_utc = '2025-07-01 00:00+00';
insert into public.derived_data_bars
select (jsonb_populate_record(s, jsonb_build_object('ts_utc', v.ts_utc, 'high', v.high))).*
from stranger as s
cross join (values ('2025-07-01 00:05+00', 100), ('2025-07-01 00:15+00', 200)) as v (ts_utc, high);

call tests.run('2025-07-01 00:25+00');
select results_eq(
  $$
    select d.canonical_symbol, d.ts_utc, d.high, d.deleted_at is null
    from public.derived_data_bars as d
    where d.timeframe = '5m'
    order by 1, 2
  $$,
  $$
    select s.symbol, w.ts_utc, w.high, true
    from (values ('ACME'), ('OTHER')) as s (symbol)
    cross join lateral (
      select date_bin('5 minutes', b.ts_utc, '2000-01-01 00:00+00') as ts_utc, max(b.high) as high
      from public.data_bars as b
      where b.canonical_symbol = s.symbol
      group by 1
    ) as w
    order by 1, 2
  $$,
  'build_bars() makes rows right that it finds where nothing was built, and builds the others beside them'
);
select is_empty($$ select * from public.agg_verify() $$, 'so that nothing is left to verify');
select is(
  (select min(s.last_agg_bar_ts_utc) from public.data_agg_state as s where s.timeframe = '5m' and s.enabled and s.canonical_symbol in ('ACME', 'OTHER')),
  timestamptz '2025-07-01 00:15+00', 'and the cursors go on'
);
select is(
  (select count(*) from public.data_agg_state as s where s.fail_streak > 0), 0::bigint, 'without a failure'
);

-- A constraint that pgbars does not know.
create unique index one_bar on public.derived_data_bars (high) where ts_utc = '2025-07-01 00:20+00';
call tests.add_minutes('ACME', '2025-07-01 00:20+00', '2025-07-01 00:26+00');
call tests.add_minutes('OTHER', '2025-07-01 00:20+00', '2025-07-01 00:26+00');
call tests.run('2025-07-01 00:31+00');
select is(
  (select count(*) from public.derived_data_bars as d where d.timeframe = '5m' and d.ts_utc = '2025-07-01 00:20+00'), 1::bigint,
  'of two bars that cannot both be stored one is'
);
select matches(
  (select string_agg(s.last_error, '') from public.data_agg_state as s where s.timeframe = '5m'), 'one_bar', 'and the task of the other says why'
);

select * from finish();
rollback;
