begin;
select plan(11);

call tests.clear();
create function pg_temp.beats(p_now timestamptz) returns bigint
language plpgsql as $$
begin
  perform public.agg_maintain(p_now => p_now);
  return (select count(*) from public.agg_claim_deliveries(p_now => p_now) as c where c.kind = 'heartbeat' and c.message_id is null and c.body is null);
end;
$$;
create function pg_temp.run_at(p_at timestamptz) returns void
language sql as $$
  insert into agg.run_log (started_at, finished_at, env, batches, tasks, windows, bars_created, bars_quality_poor, bars_corrected, failed, stopped_reason)
  values (p_at, p_at, 'prod', 0, 0, 0, 0, 0, 0, 0, 'idle');
$$;
do $$ begin perform public.agg_add_alert_target('monitor', 'heartbeat', p_now => '2025-07-01 00:00+00'); end; $$;

select is(pg_temp.beats('2025-07-01 00:05+00'), 0::bigint, 'no heartbeat while no dispatcher runs');
select pg_temp.run_at('2025-07-01 00:09+00');
select is(pg_temp.beats('2025-07-01 00:10+00'), 1::bigint, 'a healthy maintenance run gives one heartbeat');
select is(
  (select count(*) from public.agg_claim_deliveries(p_now => '2025-07-01 00:10+00')), 0::bigint, 'it is claimed once'
);
select is(pg_temp.beats('2025-07-01 00:15+00'), 0::bigint, 'none when the dispatcher has not run for five minutes');
do $$ begin perform public.agg_pause('upgrade', '2025-07-01 01:00+00', '2025-07-01 00:16+00'); end; $$;
select is(pg_temp.beats('2025-07-01 00:20+00'), 1::bigint, 'in a pause the dispatcher need not run');
do $$ begin perform public.agg_resume('2025-07-01 00:21+00'); end; $$;

do $$ begin perform public.agg_finish_deliveries('[{"target": "monitor", "message_id": null, "status": 404, "error": "HTTP 404"}]', '2025-07-01 00:20+00'); end; $$;
select is(
  (select format('%s %s', t.state, t.error) from public.agg_alert_targets('2025-07-01 00:21+00') as t), 'failing HTTP 404',
  'a heartbeat is not stopped: it is called again after the next run'
);
select is((select p.problem from agg.target_problems('2025-07-01 00:36+00') as p), 'no heartbeat arrived since 2025-07-01 00:20:00+00: HTTP 404', 'after 15 minutes it is a problem');
select pg_temp.run_at('2025-07-01 00:39+00');
select is(pg_temp.beats('2025-07-01 00:40+00'), 1::bigint, 'and still called');
do $$ begin perform public.agg_finish_deliveries('[{"target": "monitor", "message_id": null, "status": 200}]', '2025-07-01 00:40+00'); end; $$;
select is((select format('%s %s', t.state, t.succeeded_at) from public.agg_alert_targets('2025-07-01 00:41+00') as t), 'ok 2025-07-01 00:40:00+00', 'one that arrives ends that');

-- Silence must not mean health while alerts do not arrive.
do $$ begin perform public.agg_add_alert_target('chat', 'slack', p_now => '2025-07-01 00:40+00'); end; $$;
update agg.alert_target as t set stopped_at = '2025-07-01 00:41+00', error = 'HTTP 404' where t.name = 'chat';
select pg_temp.run_at('2025-07-01 00:44+00');
select is(pg_temp.beats('2025-07-01 00:45+00'), 0::bigint, 'no heartbeat while alerts do not arrive: the outside monitor speaks');
do $$ begin perform public.agg_add_alert_target('chat', 'slack', p_now => '2025-07-01 00:46+00'); end; $$;
select pg_temp.run_at('2025-07-01 00:49+00');
select is(pg_temp.beats('2025-07-01 00:50+00'), 1::bigint, 'when they do again, the heartbeat is back');

select * from finish();
rollback;
