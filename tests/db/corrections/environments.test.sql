begin;
select plan(3);

-- Without the triggers of the registry, so that only a sync changes tasks.
alter table public.core_asset_registry_all disable trigger user;
call tests.clear();
call tests.add_asset('PROD');
call tests.add_asset('TESTED');
call tests.add_minutes('PROD', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
call tests.add_minutes('TESTED', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
call tests.run('2025-07-01 01:05+00');
update public.core_asset_registry_all as r set active = false, test_active = true where r.canonical_symbol = 'TESTED';
create function pg_temp.corrected() returns text
language sql as $$
  select string_agg(d.canonical_symbol || ' ' || d.timeframe, ', ' order by d.canonical_symbol, d.timeframe)
  from public.derived_data_bars as d
  where d.high = 2
$$;

update public.data_bars as b set high = 2 where b.ts_utc = '2025-07-01 00:31+00';
do $$ begin perform public.agg_run_due('DEV', p_now => '2025-07-01 01:05+00'); end; $$;
select is(pg_temp.corrected(), 'TESTED 1h, TESTED 5m', 'agg_run_due() corrects the assets of its environment');
select is(
  (select string_agg(k.canonical_symbol, ' ') from agg.correction as k), 'PROD', 'agg_run_due() leaves corrections of others for their dispatcher'
);
do $$ begin perform public.agg_run_due('prod', p_now => '2025-07-01 01:05+00'); end; $$;
select is(pg_temp.corrected(), 'PROD 1h, PROD 5m, TESTED 1h, TESTED 5m', 'agg_run_due() of the other environment makes these');

select * from finish();
rollback;
