begin;
select plan(8);

-- Without the triggers of the registry, so that only a sync changes tasks.
alter table public.core_asset_registry_all disable trigger user;
select throws_ok(
  $$ select public.calc_dxy_range_1m('2025-07-02 00:00+00', '2025-07-01 00:00+00') $$, '22023', null,
  'calc_dxy_range_1m() refuses a reversed range'
);
select throws_ok(
  $$ select public.calc_dxy_range_1m('2025-07-01 00:00+00', '2025-07-01 00:00+00') $$, '22023', null,
  'calc_dxy_range_1m() refuses an empty range'
);
select throws_ok(
  $$ select public.calc_dxy_range_1m(null, '2025-07-01 00:00+00') $$, '22023', null, 'calc_dxy_range_1m() refuses a null start'
);
select throws_ok(
  $$ select public.calc_dxy_range_1m('2025-07-01 00:00+00', '2025-07-02 00:00+00', 3) $$, '22023', null,
  'calc_dxy_range_1m() refuses an unknown version'
);
call tests.add_asset('PLAIN');
select throws_ok(
  $$ select public.derive_synthetic_range('NOBODY', '2025-07-01 00:00+00', '2025-07-02 00:00+00') $$, 'P0002', null,
  'derive_synthetic_range() raises no_data_found for an unknown symbol'
);
select throws_ok(
  $$ select public.derive_synthetic_range('PLAIN', '2025-07-01 00:00+00', '2025-07-02 00:00+00') $$, 'P0002', null,
  'derive_synthetic_range() raises no_data_found for an asset that is not synthetic'
);
update public.core_asset_registry_all as r set metadata = r.metadata #- '{component_weights,USDSEK}' where r.canonical_symbol = 'DXY';
select throws_like(
  $$ select public.calc_dxy_range_1m('2025-07-01 00:00+00', '2025-07-02 00:00+00') $$, '%component_weights.USDSEK%',
  'calc_dxy_range_1m() names the missing weight'
);
delete from public.core_asset_registry_all as r where r.canonical_symbol = 'DXY';
select throws_ok(
  $$ select public.calc_dxy_range_1m('2025-07-01 00:00+00', '2025-07-02 00:00+00') $$, 'P0002', null,
  'calc_dxy_range_1m() raises no_data_found without DXY in the registry'
);

select * from finish();
rollback;
