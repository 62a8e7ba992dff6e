begin;
select plan(8);

delete from public.core_asset_registry_all;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
select b.symbol, true, jsonb_build_object(
  'is_synthetic', true, 'components', '["PART"]'::jsonb, 'component_weights', jsonb_build_object('PART', b.weight), 'formula_base', b.base
)
from (values ('SAME', 1, 1), ('SMALL', 1, 1e-12), ('LARGE', -1, 1e12), ('STEEP', 1000, 1), ('FALLING', -1000, 1)) as b (symbol, weight, base);
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values
  ('PART', '2025-07-01 00:00+00', 1.23456789012e-10, 2e-10, 1e-10, 1.5e-10),
  ('PART', '2025-07-01 00:01+00', 0.000123456789012, 1, 0.000123456789012, 0.0123456789012),
  ('PART', '2025-07-01 00:02+00', 1, 98.123456789012, 1, 98.123456789012),
  ('PART', '2025-07-01 00:03+00', 9.9e49, 9.9e49, 1e-300, 1e-300);

create function pg_temp.derive(p_symbol text) returns jsonb
language sql as $$
  select public.derive_synthetic_range(p_symbol, '2025-07-01 00:00+00', '2025-07-01 00:04+00', 2) - 'timestamp_range' - 'success' - 'derivation_version';
$$;

select is(
  pg_temp.derive('SAME'), '{"inserted": 3, "updated": 0, "unchanged": 0, "removed": 0, "skipped_incomplete": 1}',
  'a price that data_bars does not take makes no bar, and is counted'
);
select results_eq(
  $$ select d.open, d.close from public.data_bars as d where d.canonical_symbol = 'SAME' order by d.ts_utc $$,
  $$
    values
      (1.23456789e-10::double precision, 1.5e-10::double precision), (0.000123456789, 0.0123456789), (1, 98.12345679)
  $$,
  'a price keeps 8 decimals, or 9 significant digits below 1'
);
select is(
  pg_temp.derive('SAME') ->> 'unchanged', '3', 'the same prices are the same bars again'
);
do $$ begin perform pg_temp.derive('SMALL'); end; $$;
select is(
  (select d.open from public.data_bars as d where d.canonical_symbol = 'SMALL' and d.ts_utc = '2025-07-01 00:00+00'), 1.23456789e-22::double precision,
  'so does a basket with a tiny base'
);
do $$ begin perform pg_temp.derive('LARGE'); end; $$;
select is(
  (select d.close from public.data_bars as d where d.canonical_symbol = 'LARGE' and d.ts_utc = '2025-07-01 00:02+00'), 10191243080.1356::double precision,
  'a large price keeps 15 digits'
);
select is(
  pg_temp.derive('STEEP'), '{"inserted": 0, "updated": 0, "unchanged": 0, "removed": 0, "skipped_incomplete": 4}',
  'prices out of range, and those that vanish, make no bar and no error'
);
select is(
  pg_temp.derive('FALLING'), '{"inserted": 0, "updated": 0, "unchanged": 0, "removed": 0, "skipped_incomplete": 4}',
  'the other way round as well'
);

update public.data_bars as d set open = 9.9e49, high = 9.9e49 where d.canonical_symbol = 'PART' and d.ts_utc = '2025-07-01 00:02+00';
update public.data_bars as d set close = 1e-300, low = 1e-300 where d.canonical_symbol = 'PART' and d.ts_utc = '2025-07-01 00:02+00';
select is(
  pg_temp.derive('SAME'), '{"inserted": 0, "updated": 0, "unchanged": 2, "removed": 1, "skipped_incomplete": 2}',
  'a bar whose price cannot be held any more is removed'
);

select * from finish();
rollback;
