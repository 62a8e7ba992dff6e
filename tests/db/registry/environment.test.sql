begin;
select plan(7);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
do $$ begin perform public.schedule_jobs('test'); end; $$;
insert into public.core_asset_registry_all (canonical_symbol, active, test_active, metadata) values
  ('PROD', true, false, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}'),
  ('TESTED', false, true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select a.symbol, timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from unnest(array['PROD', 'TESTED']) as a (symbol)
cross join generate_series(0, 4) as m (n);

create function pg_temp.enabled() returns text
language sql as $$
  select string_agg(distinct s.canonical_symbol, ', ') from public.data_agg_state as s where s.enabled
$$;

select is(pg_temp.enabled(), 'TESTED', 'tasks follow test_active in a database of the environment test');
select is(public.sync_agg_state_from_registry() -> 'symbols', '[]', 'so does a sync without an environment');
do $$ begin perform public.agg_maintain(p_now => '2025-07-01 00:10+00'); end; $$;
select is(pg_temp.enabled(), 'TESTED', 'and maintenance');
select set_eq(
  $$ select t.canonical_symbol from public.agg_get_due_tasks(p_now => '2025-07-01 00:10+00') as t $$, array['TESTED'],
  'agg_get_due_tasks() finds its tasks'
);
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 00:10+00'); end; $$;
select is(
  (select string_agg(d.canonical_symbol, ', ') from public.derived_data_bars as d), 'TESTED', 'agg_run_due() works for it'
);
select is((select l.env from agg.run_log as l), 'test', 'and says so in the run log');
select is(
  public.sync_agg_state_from_registry('prod') -> 'symbols', '["PROD", "TESTED"]', 'a sync of another environment names the assets that it touched'
);

select * from finish();
rollback;
