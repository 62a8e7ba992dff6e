begin;
select plan(8);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 2, 1, 1, 1
from generate_series(0, 239) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
select throws_ok($$ select * from public.agg_verify('NOBODY') $$, 'P0002', null, 'agg_verify() refuses a symbol without tasks');
select throws_ok($$ select * from public.agg_verify('ACME', '1m') $$, 'P0002', null, 'agg_verify() refuses a timeframe that the symbol has no task for');
select throws_ok($$ select * from public.agg_verify(null, '7m') $$, '22023', null, 'agg_verify() refuses an unknown timeframe');
select throws_ok(
  $$ select * from public.agg_verify('ACME', 'bogus') $$, '22023', null, 'agg_verify() refuses it for a symbol that has tasks, too'
);
select throws_ok(
  $$ select * from public.agg_verify('ACME', '5m', '2025-07-01 01:00+00', '2025-07-01 01:00+00') $$, '22023', null,
  'agg_verify() refuses an empty range'
);
select throws_ok(
  $$ select * from public.agg_verify('ACME', '5m', '2025-07-01 02:00+00', '2025-07-01 01:00+00') $$, '22023', null,
  'agg_verify() refuses a range that ends before it begins'
);
select throws_ok($$ select public.agg_repair('NOBODY') $$, 'P0002', null, 'agg_repair() refuses what agg_verify() refuses');
select is_empty('select k.correction_id from agg.correction as k', 'agg_repair() asks for nothing then');

select * from finish();
rollback;
