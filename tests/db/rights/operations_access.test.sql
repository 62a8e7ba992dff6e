begin;
select plan(14);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:10+00');
call tests.run('2025-07-01 01:00+00');
insert into agg.alert (kind, canonical_symbol, timeframe, severity, message, raised_at, resolved_at)
values
  ('slow', '*', '*', 'warning', 'slow', '2025-07-01 00:00+00', null),
  ('metadata', 'ACME', '*', 'warning', 'not known', '2025-07-01 00:01+00', null),
  ('failing', 'ACME', '5m', 'critical', 'broken', '2025-06-30 00:00+00', null),
  ('behind', 'ACME', '1h', 'critical', 'due', '2025-06-30 00:00+00', '2025-06-30 01:00+00');

-- What a query gives a role, or denied.
create function pg_temp.as_role(p_role text, p_sql text) returns text
language plpgsql as $$
declare
  v_result text;
begin
  execute format('set local role %I', p_role);
  begin
    execute p_sql into v_result;
  exception when insufficient_privilege then
    v_result := 'denied';
  end;
  reset role;
  return v_result;
end;
$$;
create function pg_temp.calls(p_role text) returns text
language sql as $$
  select string_agg(pg_temp.as_role(p_role, 'select count(*) > 0 from public.' || c.call), ' ')
  from unnest(array[
    'agg_alerts()', 'agg_check(''2025-07-01 01:00+00'')', 'agg_health(''2025-07-01 01:00+00'')', 'agg_runs()', 'agg_size()'
  ]) as c (call)
$$;

select is(pg_temp.calls('authenticated'), 'denied denied denied denied denied', 'authenticated sees nothing of operations by default');
select is(pg_temp.calls('service_role'), 'true true true true true', 'service_role does');
select is(
  public.grant_operations_access('authenticated'),
  '{"success": true, "role": "authenticated", "functions": ["agg_alerts", "agg_asset", "agg_check", "agg_explain", "agg_fleet", "agg_health", "agg_pending", "agg_runs", "agg_size"]}',
  'grant_operations_access() says what it opened'
);
select is(pg_temp.calls('authenticated'), 'true true true true true', 'it lets a role see how the database does');
select is(pg_temp.as_role('authenticated', 'select count(*) from public.agg_pending()'), '0', 'what waits included');
select is(
  array[
    pg_temp.as_role('authenticated', 'select count(*) from public.data_bars'),
    pg_temp.as_role('authenticated', 'select count(*) from public.data_agg_state'),
    pg_temp.as_role('authenticated', 'select count(*) from agg.alert'),
    pg_temp.as_role('authenticated', 'select public.agg_pause(''x'', ''infinity'')'),
    pg_temp.as_role('authenticated', 'select public.agg_maintain()')
  ],
  array['denied', 'denied', 'denied', 'denied', 'denied'], 'it opens no table, and nothing that writes'
);
select is(pg_temp.calls('anon'), 'denied denied denied denied denied', 'it opens nothing to another role');
select is(public.grant_operations_access('authenticated') -> 'success', 'true', 'it may be repeated');
select throws_ok($$ select public.grant_operations_access('no such role') $$, '42704', 'no such role is not a role');
do $$ begin perform public.revoke_operations_access('authenticated'); perform public.revoke_operations_access('authenticated'); end; $$;
select is(pg_temp.calls('authenticated'), 'denied denied denied denied denied', 'revoke_operations_access() takes it back');

select results_eq(
  'select a.kind, a.severity from public.agg_alerts() as a',
  $$ values ('failing', 'critical'), ('metadata', 'warning'), ('slow', 'warning') $$, 'agg_alerts() lists what is open, critical alerts first'
);
select results_eq(
  'select a.kind, a.resolved_at is null from public.agg_alerts(false) as a',
  $$ values ('failing', true), ('metadata', true), ('slow', true), ('behind', false) $$, 'and what was resolved, if asked for'
);
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 01:01+00'); end; $$;
select results_eq(
  'select r.stopped_reason, r.bars_created, r.took = r.finished_at - r.started_at from public.agg_runs(2) as r',
  $$ values ('idle', 0::bigint, true), ('idle', 2::bigint, true) $$, 'agg_runs() lists what the dispatcher did, newest first'
);
select throws_ok('select public.agg_runs(0)', '22023', 'p_limit must be from 1 to 10000, not 0');

select * from finish();
rollback;
