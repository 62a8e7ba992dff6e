begin;
select plan(2);

insert into agg.timeframe (timeframe, duration, source_timeframe, is_mandatory) values
  ('15m', interval '15 minutes', '5m', false), ('4h', interval '4 hours', '1h', false);
delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z", "optional": ["15m", "4h"]}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 2, 1, 1, 1
from generate_series(0, 239) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
update public.data_bars as b set high = 3 where b.ts_utc = '2025-07-01 02:31+00';
select is(b.bars_corrected, 4::bigint, 'agg.run_batch() corrects a bar of every level in one batch')
from agg.run_batch(p_now => '2025-07-01 05:00+00') as b;
select results_eq(
  'select d.timeframe, d.ts_utc from public.derived_data_bars as d where d.high = 3 order by 1',
  $$
    values
      ('15m', timestamptz '2025-07-01 02:30+00'), ('1h', '2025-07-01 02:00+00'), ('4h', '2025-07-01 00:00+00'),
      ('5m', '2025-07-01 02:30+00')
  $$,
  'agg.run_batch() passes a change on to every timeframe that is built from another'
);

select * from finish();
rollback;
