begin;
select plan(9);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
do $$
begin
  perform public.sync_agg_state_from_registry();
  for v_try in 1..3 loop
    perform public.agg_start('ACME', '5m', '2025-07-01 00:10+00');
    perform public.agg_finish('ACME', '5m', false, p_fail_kind => 'hard', p_error => 'broken', p_now => '2025-07-01 00:10+00');
  end loop;
end;
$$;
create function pg_temp.open_alerts() returns text
language sql as $$
  select coalesce(string_agg(a.kind || ' ' || a.timeframe, ', ' order by a.kind, a.timeframe), 'none')
  from agg.alert as a
  where a.resolved_at is null
$$;
create function pg_temp.refresh(p_now timestamptz) returns integer
language plpgsql as $$
begin
  update public.data_agg_state as s set updated_at = '2025-07-01 00:00+00';
  return agg.refresh_alerts(p_now);
end;
$$;

select is(pg_temp.refresh('2025-07-01 00:11+00'), 1, 'refresh_alerts() raises an alert for a mandatory task that fails hard');
select is(pg_temp.refresh('2025-07-01 00:12+00'), 0, 'refresh_alerts() raises it once');
select results_eq(
  'select a.kind, a.canonical_symbol, a.timeframe, a.raised_at, a.message ~ ''broken'' from agg.alert as a order by a.alert_id',
  $$ values ('hard_failed', 'ACME', '5m', timestamptz '2025-07-01 00:11+00', true) $$,
  'refresh_alerts() says what, since when, and why'
);
select is(
  pg_temp.refresh('2025-07-01 01:20+00'), 0, 'refresh_alerts() gives the dispatcher 15 minutes for a task that is due'
);
select is(pg_temp.refresh('2025-07-01 01:20:01+00'), 1, 'refresh_alerts() raises an alert for a task that nobody runs');
select is(pg_temp.open_alerts(), 'behind 1h, hard_failed 5m', 'refresh_alerts() keeps alerts apart by cause');
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 01:30+00'); end; $$;
select is(
  format('%s new, %s open', pg_temp.refresh('2025-07-01 01:31+00'), pg_temp.open_alerts()), '0 new, none open',
  'refresh_alerts() resolves alerts whose cause is gone'
);
select results_eq(
  'select a.kind, a.resolved_at from agg.alert as a order by a.alert_id',
  $$ values ('hard_failed', timestamptz '2025-07-01 01:31+00'), ('behind', '2025-07-01 01:31+00') $$,
  'refresh_alerts() keeps resolved alerts'
);
do $$
begin
  for v_try in 1..3 loop
    perform public.agg_start('ACME', '5m', '2025-07-01 01:32+00');
    perform public.agg_finish('ACME', '5m', false, p_fail_kind => 'hard', p_error => 'broken', p_now => '2025-07-01 01:32+00');
  end loop;
end;
$$;
select is(pg_temp.refresh('2025-07-01 01:32+00'), 1, 'refresh_alerts() raises an alert again when its cause comes back');

select * from finish();
rollback;
