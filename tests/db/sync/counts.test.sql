begin;
select plan(9);

-- Without the triggers of the registry, so that only a sync changes tasks.
alter table public.core_asset_registry_all disable trigger user;
call tests.clear();
insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values
  ('ONE', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}'),
  ('TWO', true, '{}'),
  ('OFF', false, '{}');

create function pg_temp.sync() returns text
language sql as $$
  select format(
    '%s inserted, %s updated, %s reenabled, %s disabled, %s inserted or updated',
    s.r ->> 'inserted', s.r ->> 'updated', s.r ->> 'reenabled', s.r ->> 'disabled', s.r ->> 'inserted_or_updated'
  )
  from public.sync_agg_state_from_registry() as s (r)
$$;

select is(
  pg_temp.sync(), '4 inserted, 0 updated, 0 reenabled, 0 disabled, 4 inserted or updated',
  'sync_agg_state_from_registry() creates 5m and 1h of every active asset'
);
create temporary table placed as select s.ctid as place, s.canonical_symbol, s.timeframe from public.data_agg_state as s;
select is(
  pg_temp.sync(), '0 inserted, 0 updated, 0 reenabled, 0 disabled, 0 inserted or updated',
  'sync_agg_state_from_registry() has nothing to do a second time'
);
select results_eq(
  'select s.ctid, s.canonical_symbol, s.timeframe from public.data_agg_state as s order by 2, 3',
  'select p.place, p.canonical_symbol, p.timeframe from placed as p order by 2, 3',
  'sync_agg_state_from_registry() writes no row a second time'
);

call tests.set_metadata('ONE', '{agg,quality}', '{"good": 90}');
update public.core_asset_registry_all as r set active = false where r.canonical_symbol = 'TWO';
update public.core_asset_registry_all as r set active = true where r.canonical_symbol = 'OFF';
select is(
  pg_temp.sync(), '2 inserted, 2 updated, 0 reenabled, 2 disabled, 4 inserted or updated',
  'sync_agg_state_from_registry() counts what it inserted, updated and disabled at once'
);
select results_eq(
  $$ select s.canonical_symbol, s.timeframe, s.enabled, s.status from public.data_agg_state as s order by 1, 2 $$,
  $$
    values
      ('OFF', '1h', true, 'idle'), ('OFF', '5m', true, 'idle'), ('ONE', '1h', true, 'idle'), ('ONE', '5m', true, 'idle'),
      ('TWO', '1h', false, 'disabled'), ('TWO', '5m', false, 'disabled')
  $$,
  'sync_agg_state_from_registry() switches the tasks of an inactive asset off'
);
select is(
  pg_temp.sync(), '0 inserted, 0 updated, 0 reenabled, 0 disabled, 0 inserted or updated',
  'sync_agg_state_from_registry() counts a disabled task once'
);
update public.core_asset_registry_all as r set active = true where r.canonical_symbol = 'TWO';
select is(
  pg_temp.sync(), '0 inserted, 0 updated, 2 reenabled, 0 disabled, 2 inserted or updated',
  'sync_agg_state_from_registry() counts what it re-enabled'
);
delete from public.core_asset_registry_all as r where r.canonical_symbol = 'TWO';
select is(
  pg_temp.sync(), '0 inserted, 0 updated, 0 reenabled, 2 disabled, 0 inserted or updated',
  'sync_agg_state_from_registry() switches the tasks of a deleted asset off'
);
select throws_ok(
  $$ select public.sync_agg_state_from_registry('prod', null) $$, '22023', null,
  'sync_agg_state_from_registry() refuses a null default start'
);

select * from finish();
rollback;
