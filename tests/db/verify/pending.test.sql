begin;
select plan(4);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 2, 1, 1, 1
from generate_series(0, 239) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
-- One wrong bar that nothing was noted of, one late change that waits as a correction, and one that no dispatcher has read.
update public.derived_data_bars as d set high = 9 where d.timeframe = '5m' and d.ts_utc = '2025-07-01 00:00+00';
update public.data_bars as b set high = 3 where b.ts_utc = '2025-07-01 01:02+00';
do $$ begin perform agg.take_notes(10); end; $$;
update public.data_bars as b set high = 3 where b.ts_utc = '2025-07-01 02:04+00';
select results_eq(
  $$ select v.ts_utc, v.is_pending from public.agg_verify('ACME', '5m') as v $$,
  $$
    values (timestamptz '2025-07-01 00:00+00', false), ('2025-07-01 01:00+00', true), ('2025-07-01 02:00+00', true)
  $$,
  'agg_verify() tells what the next run mends from what it does not'
);
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
select results_eq(
  $$ select v.ts_utc, v.is_pending from public.agg_verify('ACME', '5m') as v $$,
  $$ values (timestamptz '2025-07-01 00:00+00', false) $$,
  'the next run has mended what was pending'
);

-- A wrong hour, of which somebody has asked for repair, over a wrong bar of which nobody has.
update public.derived_data_bars as d set high = 9 where d.ts_utc = '2025-07-01 03:00+00';
update public.derived_data_bars as d set vol = 99 where d.timeframe = '1h' and d.ts_utc = '2025-07-01 03:00+00';
do $$ begin perform public.agg_repair('ACME', '1h', '2025-07-01 03:00+00'); end; $$;
select results_eq(
  $$ select v.timeframe, v.is_pending from public.agg_verify('ACME', p_from => '2025-07-01 03:00+00') as v $$,
  $$ values ('5m', false), ('1h', true) $$,
  'agg_verify() tells the levels of a window apart'
);
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
select results_eq(
  $$ select v.timeframe, v.ts_utc from public.agg_verify('ACME', p_from => '2025-07-01 03:00+00') as v $$,
  $$ values ('5m', timestamptz '2025-07-01 03:00+00') $$,
  'the next run has mended the hour alone'
);

select * from finish();
rollback;
