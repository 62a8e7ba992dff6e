begin;
select plan(5);

-- Without the triggers of the registry, so that only a sync changes tasks.
alter table public.core_asset_registry_all disable trigger user;
call tests.clear();
call tests.add_asset('A');
call tests.add_basket('AA', '{"A": 1}', 2);
call tests.add_minutes('A', '2025-07-01 00:00+00', '2025-07-01 02:00+00', 3);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
call tests.run('2025-07-01 03:00+00');
create function pg_temp.closes() returns text
language sql as $$
  select string_agg(distinct format('%s %s', b.timeframe, b.close), ', ')
  from (
    select d.timeframe, d.close from public.data_bars as d where d.canonical_symbol = 'AA'
    union all
    select d.timeframe, d.close from public.derived_data_bars as d where d.canonical_symbol = 'AA'
  ) as b
$$;
select is(pg_temp.closes(), '1h 6, 1m 6, 5m 6', 'agg_run_due() computes the basket of the registry');

call tests.set_metadata('AA', '{component_weights,A}', '2');
select is(
  public.sync_agg_state_from_registry() -> 'updated', '1',
  'sync_agg_state_from_registry() sees that a basket has other weights'
);
call tests.run('2025-07-01 03:00+00');
select is(pg_temp.closes(), '1h 18, 1m 18, 5m 18', 'agg_run_due() computes the whole series again, through every level');
select is_empty('select * from public.agg_verify()', 'agg_verify() finds nothing left of the old basket');
select is(
  public.sync_agg_state_from_registry() -> 'updated', '0',
  'sync_agg_state_from_registry() updates nothing for an unchanged basket'
);

select * from finish();
rollback;
