begin;
select plan(14);

call tests.clear();

create function pg_temp.tasks() returns text
language sql as $$
  select coalesce(string_agg(format('%s %s', t.canonical_symbol, t.timeframes), ', ' order by t.canonical_symbol), 'none')
  from (
    select s.canonical_symbol, string_agg(s.timeframe, ' ' order by s.run_interval_minutes) as timeframes
    from public.data_agg_state as s
    where s.enabled
    group by s.canonical_symbol
  ) as t
$$;

set local role service_role;
insert into public.core_asset_registry_all (canonical_symbol, active, test_active) values
  ('ONE', true, false), ('TWO', true, true), ('OFF', false, false), ('TESTED', false, true);
reset role;
select is(pg_temp.tasks(), 'ONE 5m 1h, TWO 5m 1h', 'inserted assets have their tasks in the same transaction');

create temporary table placed as select s.ctid as place, s.canonical_symbol, s.timeframe from public.data_agg_state as s;
update public.core_asset_registry_all as r set description = 'a currency', updated_at = now();
insert into public.core_asset_registry_all (canonical_symbol, active) values ('ONE', true)
on conflict (canonical_symbol) do update set active = excluded.active;
select results_eq(
  'select s.ctid, s.canonical_symbol, s.timeframe from public.data_agg_state as s order by 2, 3',
  'select p.place, p.canonical_symbol, p.timeframe from placed as p order by 2, 3',
  'a change that means nothing to tasks writes none of them'
);

update public.core_asset_registry_all as r set active = not r.active where r.canonical_symbol in ('ONE', 'OFF');
select is(pg_temp.tasks(), 'OFF 5m 1h, TWO 5m 1h', 'one statement switches an asset on and another off');
update public.core_asset_registry_all as r set metadata = '{"agg": {"enabled": false}}' where r.canonical_symbol = 'OFF';
select is(pg_temp.tasks(), 'TWO 5m 1h', 'metadata take effect');
update public.core_asset_registry_all as r set canonical_symbol = 'DEUX' where r.canonical_symbol = 'TWO';
select is(pg_temp.tasks(), 'DEUX 5m 1h', 'a renamed asset has tasks under its new name alone');
delete from public.core_asset_registry_all as r where r.canonical_symbol = 'DEUX';
select is(pg_temp.tasks(), 'none', 'a deleted asset has none');
select is(
  (select count(*) from public.data_agg_state as s), 8::bigint, 'tasks that are switched off keep their row and cursor'
);

update public.data_agg_state as s set enabled = true, status = 'idle' where s.canonical_symbol = 'TWO';
insert into public.core_asset_registry_all (canonical_symbol, active) values ('THREE', true);
select is(pg_temp.tasks(), 'THREE 5m 1h, TWO 5m 1h', 'a change leaves the tasks of other assets to the next sync');
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
select is(pg_temp.tasks(), 'THREE 5m 1h', 'the next sync reconciles them');

do $$ begin perform public.schedule_jobs('test'); end; $$;
select is(pg_temp.tasks(), 'TESTED 5m 1h', 'schedule_jobs() with another environment lets all tasks follow at once');
insert into public.core_asset_registry_all (canonical_symbol, active, test_active) values ('FOUR', true, false), ('FIVE', false, true);
select is(pg_temp.tasks(), 'FIVE 5m 1h, TESTED 5m 1h', 'later changes take effect in that environment');
select is(
  public.sync_agg_state_from_registry() ->> 'env', 'test', 'a sync without an environment uses the new one'
);
select is(pg_temp.tasks(), 'FIVE 5m 1h, TESTED 5m 1h', 'that sync changes nothing');

truncate public.core_asset_registry_all;
select is(pg_temp.tasks(), 'none', 'an empty registry has no tasks');

select * from finish();
rollback;
