begin;
select plan(9);

call tests.clear();
call tests.add_asset('ACME');
call tests.fail_three_times('ACME', '5m', '2025-07-01 00:10+00');
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
select is(pg_temp.refresh('2025-07-01 01:20:01+00'), 1, 'refresh_alerts() raises an alert for a task that no dispatcher runs');
select is(pg_temp.open_alerts(), 'behind 1h, hard_failed 5m', 'refresh_alerts() keeps alerts apart by cause');
call tests.run('2025-07-01 01:30+00');
select is(
  format('%s new, %s open', pg_temp.refresh('2025-07-01 01:31+00'), pg_temp.open_alerts()), '0 new, none open',
  'refresh_alerts() resolves alerts whose cause is gone'
);
select results_eq(
  'select a.kind, a.resolved_at from agg.alert as a order by a.alert_id',
  $$ values ('hard_failed', timestamptz '2025-07-01 01:31+00'), ('behind', '2025-07-01 01:31+00') $$,
  'refresh_alerts() keeps resolved alerts'
);
call tests.fail_three_times('ACME', '5m', '2025-07-01 01:32+00');
select is(pg_temp.refresh('2025-07-01 01:32+00'), 1, 'refresh_alerts() raises an alert again when its cause comes back');

select * from finish();
rollback;
