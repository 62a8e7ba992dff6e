begin;
select plan(7);

call tests.clear();
do $$ begin perform public.schedule_jobs('test'); end; $$;
insert into public.core_asset_registry_all (canonical_symbol, active, test_active, metadata) values
  ('PROD', true, false, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}'),
  ('TESTED', false, true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
call tests.add_minutes('PROD', '2025-07-01 00:00+00', '2025-07-01 00:05+00');
call tests.add_minutes('TESTED', '2025-07-01 00:00+00', '2025-07-01 00:05+00');

create function pg_temp.enabled() returns text
language sql as $$
  select string_agg(distinct s.canonical_symbol, ', ') from public.data_agg_state as s where s.enabled
$$;

select is(pg_temp.enabled(), 'TESTED', 'tasks follow test_active in a database of the environment test');
select is(public.sync_agg_state_from_registry() -> 'symbols', '[]', 'a sync without an environment uses that of the database');
do $$ begin perform public.agg_maintain(p_now => '2025-07-01 00:10+00'); end; $$;
select is(pg_temp.enabled(), 'TESTED', 'agg_maintain() uses it too');
select set_eq(
  $$ select t.canonical_symbol from public.agg_get_due_tasks(p_now => '2025-07-01 00:10+00') as t $$, array['TESTED'],
  'agg_get_due_tasks() returns its tasks'
);
call tests.run('2025-07-01 00:10+00');
select is(
  (select string_agg(d.canonical_symbol, ', ') from public.derived_data_bars as d), 'TESTED', 'agg_run_due() builds its bars'
);
select is((select l.env from agg.run_log as l), 'test', 'the run log holds the environment');
select is(
  public.sync_agg_state_from_registry('prod') -> 'symbols', '["PROD", "TESTED"]', 'a sync of another environment names the assets that it touched'
);

select * from finish();
rollback;
