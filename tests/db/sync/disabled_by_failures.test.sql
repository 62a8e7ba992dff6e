begin;
select plan(5);

-- Without the triggers of the registry, so that only a sync changes tasks.
alter table public.core_asset_registry_all disable trigger user;
call tests.clear();
call tests.add_asset('ACME', '{"optional": ["15m"]}');
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
call tests.fail_three_times('ACME', '15m');
create function pg_temp.sync() returns text
language plpgsql as $$
declare
  v_synced jsonb := public.sync_agg_state_from_registry();
begin
  return (
    select format('%s %s, %s reenabled, %s updated', s.status, s.enabled, v_synced ->> 'reenabled', v_synced ->> 'updated')
    from public.data_agg_state as s
    where s.timeframe = '15m'
  );
end;
$$;

select is(
  pg_temp.sync(), 'disabled t, 0 reenabled, 0 updated', 'sync_agg_state_from_registry() leaves a task alone that failures disabled'
);
call tests.set_metadata('ACME', '{agg,quality}', '{"good": 90}');
select is(
  pg_temp.sync(), 'disabled t, 0 reenabled, 3 updated', 'sync_agg_state_from_registry() updates it without enabling it'
);
update public.core_asset_registry_all as r set active = false where r.canonical_symbol = 'ACME';
select is(pg_temp.sync(), 'disabled f, 0 reenabled, 0 updated', 'sync_agg_state_from_registry() switches it off with its asset');
update public.core_asset_registry_all as r set active = true where r.canonical_symbol = 'ACME';
select is(pg_temp.sync(), 'idle t, 3 reenabled, 0 updated', 'sync_agg_state_from_registry() enables it with its asset');
select is(
  (select s.hard_fail_streak from public.data_agg_state as s where s.timeframe = '15m'), 0,
  'sync_agg_state_from_registry() clears the failures of a re-enabled task'
);

select * from finish();
rollback;
