begin;
select plan(5);

-- What the role gets: ok, or the code of the error.
create function pg_temp.run_as(p_role text, p_sql text) returns text
language plpgsql as $$
begin
  perform set_config('role', p_role, true);
  execute p_sql;
  perform set_config('role', 'none', true);
  return 'ok';
exception when others then
  return sqlstate || ' ' || sqlerrm;
end;
$$;

create temporary table worker_call (call_no integer generated always as identity, sql text);
insert into worker_call (sql) values
  ($$ insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
    values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}') $$),
  ('select public.sync_agg_state_from_registry()'),
  ($$ insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    select c.symbol, timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
    from unnest(array['ACME', 'EURUSD', 'USDJPY', 'GBPUSD', 'USDCAD', 'USDSEK', 'USDCHF']) as c (symbol)
    cross join generate_series(0, 119) as m (n) $$),
  ($$ select d.* from public.agg_get_due_tasks('prod', 10, '2025-07-01 03:00+00') as d $$),
  ($$ select public.agg_start('ACME', '5m', '2025-07-01 01:00+00') $$),
  ($$ select public.catchup_aggregation_range('ACME', '5m', p_until_utc => '2025-07-01 01:00+00') $$),
  ($$ select public.agg_finish('ACME', '5m', true, '2025-07-01 00:50+00', p_now => '2025-07-01 01:00+00') $$),
  ($$ select public.calc_dxy_range_1m('2025-07-01 00:00+00', '2025-07-01 00:10+00') $$),
  ($$ select public.derive_synthetic_range('DXY', '2025-07-01 00:00+00', '2025-07-01 00:10+00') $$),
  ($$ select public.aggregate_1m_to_5m_window('ACME', '2025-07-01 00:00+00', '2025-07-01 00:05+00') $$),
  ($$ select public.agg_run_due(p_now => '2025-07-01 03:00+00') $$),
  ($$ select public.aggregate_5m_to_1h_window('ACME', '2025-07-01 00:00+00', '2025-07-01 01:00+00') $$),
  ($$ select public.agg_maintain(p_now => '2025-07-01 03:00+00') $$),
  ($$ select h.* from public.agg_health('2025-07-01 03:00+00') as h $$),
  ($$ select c.* from public.agg_check('2025-07-01 03:00+00') as c $$),
  ($$ select g.* from public.agg_gaps('ACME', '5m') as g $$),
  ($$ select e.* from public.agg_explain('ACME', '5m', '2025-07-01 00:00+00') as e $$),
  ($$ select b.* from public.get_bars(array['ACME'], '5m', p_fill => true, p_forming => true) as b $$),
  ($$ select c.* from public.agg_changes('2025-07-01 00:00+00') as c $$),
  ($$ select z.* from public.agg_size(1000000000) as z $$),
  ($$ select public.agg_backfill(array['ACME']) $$),
  ('select public.agg_cancel_backfill()'),
  ($$ update public.data_bars as b set vol = 2 where b.source = 'ingest' and b.ts_utc < '2025-07-01 00:30+00' $$),
  ($$ delete from public.data_bars as b where b.ts_utc = '2025-07-01 00:31+00' $$),
  ($$ select public.agg_add_change_note(array['ACME'], '2025-07-01 00:00+00', '2025-07-01 01:00+00') $$),
  ($$ select p.* from public.agg_pending() as p $$),
  ($$ select v.* from public.agg_verify() as v $$),
  ('select public.agg_repair()'),
  ($$ select public.aggregate_1m_to_5m_window('ACME', '2025-07-01 00:05+00', '2025-07-01 00:10+00') $$),
  ($$ select public.agg_run_due(p_now => '2025-07-01 03:00+00') $$),
  ($$ update public.core_asset_registry_all as r set metadata = '{"agg": {"start_utc": "2025-06-30T00:00:00Z"}}'
    where r.canonical_symbol = 'ACME' $$),
  ('select public.sync_agg_state_from_registry()'),
  ($$ select public.import_calendar('XTST', '[{"day": "2025-07-01", "kind": "closed"}]', 'UTC') $$),
  ($$ select public.agg_bootstrap_cursor('ACME', '1h') $$),
  ($$ select public.agg_pause('by a worker', '2025-07-02 00:00+00', '2025-07-01 00:00+00') $$),
  ('select public.agg_resume()');

create temporary table outcome as
select r.name as role_name, c.call_no, c.sql, pg_temp.run_as(r.name, c.sql) as result
from (select k.* from worker_call as k order by k.call_no) as c
cross join unnest(array['anon', 'authenticated', 'service_role']) as r (name);

select is_empty(
  $$ select o.sql, o.result from outcome as o where o.role_name = 'service_role' and o.result <> 'ok' $$,
  'service_role may do everything that an outside worker does'
);
select is_empty(
  $$ select o.role_name, o.sql, o.result from outcome as o where o.role_name <> 'service_role' and o.result not like '42501 %' $$,
  'anon and authenticated may do none of it'
);
select is(
  (select count(*) from public.derived_data_bars as d where d.timeframe = '1h' and d.canonical_symbol in ('ACME', 'DXY')), 4::bigint,
  'what service_role did took effect'
);
select is_empty(
  $$
    select t.name
    from unnest(array['agg.run_log', 'agg.alert', 'agg.timeframe', 'agg.change_note', 'agg.correction', 'agg.calendar', 'agg.calendar_day', 'agg.move', 'agg.moved_row', 'agg.moved_object']) as t (name)
    where pg_temp.run_as('service_role', format('delete from %s', t.name)) not like '42501 %'
      or pg_temp.run_as('service_role', format('select * from %s', t.name)) <> 'ok'
  $$,
  'service_role reads the tables of agg and writes none of them'
);
select is(
  pg_temp.run_as('service_role', 'select public.schedule_jobs()') , '42501 permission denied for function schedule_jobs',
  'schedule_jobs() is for the owner of the database alone'
);

select * from finish();
rollback;
