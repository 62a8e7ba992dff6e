begin;
select plan(7);

create temporary table built as select s.basket from public.data_agg_state as s where s.canonical_symbol = 'DXY' and s.timeframe = '1m';

-- As the migration document writes it.
select lives_ok(
  $sql$
    INSERT INTO core_asset_registry_all (
      canonical_symbol,
      asset_class,
      description,
      active,
      test_active,
      metadata,
      created_at,
      updated_at
    ) VALUES (
      'DXY',
      'currency_index',
      'US Dollar Index - derived from 6 FX pairs (EURUSD, USDJPY, GBPUSD, USDCAD, USDSEK, USDCHF)',
      true,
      true,
      jsonb_build_object(
        'is_synthetic', true,
        'data_location', 'data_bars',
        'base_timeframe', '1m',
        'derivation_method', 'calc_dxy_range_1m',
        'derivation_formula', 'logarithmic_weighted_geometric_mean',
        'components', jsonb_build_array('EURUSD', 'USDJPY', 'GBPUSD', 'USDCAD', 'USDSEK', 'USDCHF'),
        'component_weights', jsonb_build_object(
          'EURUSD', -0.576,
          'USDJPY', 0.136,
          'GBPUSD', -0.119,
          'USDCAD', 0.091,
          'USDSEK', 0.042,
          'USDCHF', 0.036
        ),
        'derived_timeframes', jsonb_build_array('5m', '1h'),
        'migration_date', CURRENT_DATE,
        'migration_version', 1
      ),
      NOW(),
      NOW()
    )
    ON CONFLICT (canonical_symbol)
    DO UPDATE SET
      description = EXCLUDED.description,
      metadata = EXCLUDED.metadata,
      updated_at = NOW();
  $sql$,
  'the upsert of the migration document is accepted, without a formula_base'
);
select is(
  (select s.basket from public.data_agg_state as s where s.canonical_symbol = 'DXY' and s.timeframe = '1m'), (select b.basket from built as b),
  'DXY is the same basket as before'
);
select is_empty($$ select k.* from agg.correction as k $$, 'so that nothing is built again');

insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select c.symbol, '2025-07-01 12:00+00', c.rate, c.rate, c.rate, c.rate
from (
  values ('EURUSD', 1.2976), ('USDJPY', 79.846), ('GBPUSD', 1.5947), ('USDCAD', 0.9929), ('USDSEK', 6.6491), ('USDCHF', 0.9331)
) as c (symbol, rate);
do $$ begin perform public.calc_dxy_range_1m('2025-07-01 12:00+00', '2025-07-01 12:01+00'); end; $$;
select is(
  (select round(d.close::numeric, 6) from public.data_bars as d where d.canonical_symbol = 'DXY'), 79.951174, 'and has the same price'
);

select lives_ok(
  $$
    update public.core_asset_registry_all as r
    set metadata = '{"is_synthetic": true, "derivation_method": "calc_dxy_range_1m"}'
    where r.canonical_symbol = 'DXY'
  $$,
  'the method alone implies components, weights and base'
);
select is(public.calc_dxy_range_1m('2025-07-01 12:00+00', '2025-07-01 12:01+00') ->> 'unchanged', '1', 'which make the same bar');
select throws_ok(
  $$
    update public.core_asset_registry_all as r
    set metadata = r.metadata || '{"component_weights": {"EURUSD": -0.576}}'
    where r.canonical_symbol = 'DXY'
  $$,
  '22023', null, 'what metadata say themselves counts'
);

select * from finish();
rollback;
