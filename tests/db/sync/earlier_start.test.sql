begin;
select plan(4);

-- Without the triggers of the registry, so that only a sync changes tasks.
alter table public.core_asset_registry_all disable trigger user;
call tests.clear();
insert into public.core_asset_registry_all (canonical_symbol, active) values ('ACME', true);
create function pg_temp.start_at(p_start text) returns text
language plpgsql as $$
begin
  update public.core_asset_registry_all as r set metadata = jsonb_build_object('agg', jsonb_build_object('start_utc', p_start))
  where r.canonical_symbol = 'ACME';
  perform public.sync_agg_state_from_registry();
  return (select to_char(s.last_agg_bar_ts_utc, 'MM-DD HH24:MI') from public.data_agg_state as s where s.timeframe = '5m');
end;
$$;

select is(pg_temp.start_at('2025-07-02T00:00:00Z'), '07-01 23:55', 'the task is to begin on the second for this test');
select is(
  pg_temp.start_at('2025-07-01T00:00:00Z'), '06-30 23:55',
  'sync_agg_state_from_registry() lets a task that has decided nothing begin at its earlier start'
);
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:05+00');
call tests.run('2025-07-01 00:10+00');
select is(
  pg_temp.start_at('2025-06-30T00:00:00Z'), '07-01 00:00', 'sync_agg_state_from_registry() keeps the cursor of one that has decided something'
);

-- A task that was switched off meanwhile.
update public.core_asset_registry_all as r set active = false where r.canonical_symbol = 'ACME';
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
update public.data_agg_state as s set last_agg_bar_ts_utc = '2025-06-29 23:55+00' where s.timeframe = '5m';
update public.core_asset_registry_all as r set active = true where r.canonical_symbol = 'ACME';
do $$ begin perform pg_temp.start_at('2025-06-29T00:00:00Z'); end; $$;
select results_eq(
  $$ select s.last_agg_bar_ts_utc, s.next_run_at from public.data_agg_state as s where s.timeframe = '5m' $$,
  $$ values (timestamptz '2025-06-28 23:55+00', timestamptz '2025-06-29 00:10+00') $$,
  'sync_agg_state_from_registry() makes a task due for its first window that is switched on again with an earlier start'
);

select * from finish();
rollback;
