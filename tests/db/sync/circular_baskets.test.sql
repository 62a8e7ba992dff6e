begin;
select plan(6);

-- Without the triggers of the registry, so that only a sync changes tasks.
alter table public.core_asset_registry_all disable trigger user;
call tests.clear();
call tests.add_basket('SELF', '{"SELF": 2}', 2);
call tests.add_basket('LEFT', '{"RIGHT": 2}', 2);
call tests.add_basket('RIGHT', '{"LEFT": 2}', 2);
call tests.add_basket('UPPER', '{"LOWER": 2}', 2);
call tests.add_basket('LOWER', '{"A": 2}', 2);
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
  $$ select distinct s.canonical_symbol from public.data_agg_state as s where s.timeframe = '1m' order by 1 $$,
  $$ values ('LOWER'), ('UPPER') $$, 'sync_agg_state_from_registry() takes baskets of baskets'
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
call tests.add_minutes('A', '2025-07-01 00:00+00', '2025-07-01 00:10+00', 2);
call tests.run('2025-07-01 00:15+00');
call tests.run('2025-07-01 00:20+00');
update public.core_asset_registry_all as r
set metadata = r.metadata || '{"components": ["UPPER"], "component_weights": {"UPPER": 2}}'
where r.canonical_symbol = 'LOWER';
do $$ begin perform public.agg_add_change_note(array['A', 'LOWER']); end; $$;
create temporary table run as
select public.agg_run_due(p_now => '2025-07-01 00:20+00', p_time_budget => '5 seconds') as result;
select is((select r.result ->> 'stopped_reason' from run as r), 'idle', 'agg_run_due() ends in spite of a circle that closed later');
select results_eq(
  'select distinct k.canonical_symbol, k.timeframe, k.error ~ ''22023'' from agg.correction as k order by 1',
  $$ values ('LOWER', '1m', true), ('UPPER', '1m', true) $$,
  'agg_run_due() keeps what it cannot build, with the error'
);

select * from finish();
rollback;
