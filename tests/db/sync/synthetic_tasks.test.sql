begin;
select plan(3);

do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
select results_eq(
  $$
    select s.timeframe, s.source_timeframe, s.run_interval_minutes, s.is_mandatory, s.last_agg_bar_ts_utc
    from public.data_agg_state as s
    where s.canonical_symbol = 'DXY'
    order by s.run_interval_minutes
  $$,
  $$
    values
      ('1m', '1m', 1, true, timestamptz '2025-06-30 23:59+00'), ('5m', '1m', 5, true, '2025-06-30 23:55+00'),
      ('1h', '5m', 60, true, '2025-06-30 23:00+00')
  $$,
  'sync_agg_state_from_registry() gives a synthetic asset a 1m task'
);
select is_empty(
  $$ select s.canonical_symbol from public.data_agg_state as s where s.canonical_symbol <> 'DXY' $$,
  'sync_agg_state_from_registry() makes no task for components that are not in the registry'
);

call tests.add_asset('EURUSD');
update public.core_asset_registry_all as r set metadata = r.metadata - 'is_synthetic' where r.canonical_symbol = 'DXY';
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
select results_eq(
  $$ select s.canonical_symbol, s.timeframe, s.enabled from public.data_agg_state as s order by 1, s.run_interval_minutes $$,
  $$ values ('DXY', '1m', false), ('DXY', '5m', true), ('DXY', '1h', true), ('EURUSD', '5m', true), ('EURUSD', '1h', true) $$,
  'sync_agg_state_from_registry() switches off the 1m task of an asset that is no longer synthetic'
);

select * from finish();
rollback;
