begin;
select plan(6);

-- Only a sync changes tasks here, as in a deployment that was there before the triggers.
alter table public.core_asset_registry_all disable trigger user;
delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
select
  b.symbol, true,
  jsonb_build_object(
    'is_synthetic', true, 'formula_base', 2,
    'components', jsonb_build_array(b.component), 'component_weights', jsonb_build_object(b.component, 2),
    'agg', jsonb_build_object('start_utc', '2025-07-01T00:00:00Z')
  )
from (values ('SELF', 'SELF'), ('LEFT', 'RIGHT'), ('RIGHT', 'LEFT'), ('UPPER', 'LOWER'), ('LOWER', 'A')) as b (symbol, component);
create temporary table synced as select public.sync_agg_state_from_registry() as result;
select results_eq(
  $$
    select f.item ->> 'canonical_symbol', f.item ->> 'problem'
    from synced as y
    cross join lateral jsonb_array_elements(y.result -> 'refused') as f (item)
    order by 1
  $$,
  $$
    values
      ('LEFT', 'components lead back to LEFT itself'), ('RIGHT', 'components lead back to RIGHT itself'),
      ('SELF', 'components lead back to SELF itself')
  $$,
  'sync_agg_state_from_registry() refuses baskets that hold themselves, directly or through another'
);
select results_eq(
  'select distinct s.canonical_symbol from public.data_agg_state as s order by 1', $$ values ('LOWER'), ('UPPER') $$,
  'sync_agg_state_from_registry() takes baskets of baskets'
);
select throws_ok(
  $$ select public.derive_synthetic_range('SELF', '2025-07-01 00:00+00', '2025-07-01 00:05+00') $$, '22023', null,
  'derive_synthetic_range() refuses a basket that holds itself'
);
select throws_ok(
  $$ select public.derive_synthetic_range('LEFT', '2025-07-01 00:00+00', '2025-07-01 00:05+00') $$, '22023', null,
  'derive_synthetic_range() refuses one that does so through another'
);

-- A circle that closes after the sync.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'A', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 2, 2, 2, 2
from generate_series(0, 9) as m (n);
do $$
begin
  perform public.agg_run_due(p_now => '2025-07-01 00:15+00');
  perform public.agg_run_due(p_now => '2025-07-01 00:20+00');
end;
$$;
update public.core_asset_registry_all as r
set metadata = r.metadata || '{"components": ["UPPER"], "component_weights": {"UPPER": 2}}'
where r.canonical_symbol = 'LOWER';
do $$ begin perform public.agg_add_change_note(array['A', 'LOWER']); end; $$;
create temporary table run as
select public.agg_run_due(p_now => '2025-07-01 00:20+00', p_time_budget => '5 seconds') as result;
select is((select r.result ->> 'stopped_reason' from run as r), 'idle', 'agg_run_due() does not run for ever in a circle that closed later');
select results_eq(
  'select distinct k.canonical_symbol, k.timeframe, k.error ~ ''22023'' from agg.correction as k order by 1',
  $$ values ('LOWER', '1m', true), ('UPPER', '1m', true) $$,
  'agg_run_due() keeps what it cannot build, with the error'
);

select * from finish();
rollback;
