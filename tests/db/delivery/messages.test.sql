begin;
select plan(36);

call tests.clear();
create function pg_temp.raise(p_symbol text, p_at timestamptz, p_severity text default 'warning', p_kind text default 'no_data') returns void
language sql as $$
  insert into agg.alert (kind, canonical_symbol, timeframe, severity, message, raised_at) values (p_kind, p_symbol, '1m', p_severity, 'is silent', p_at);
$$;
create function pg_temp.resolve(p_symbol text, p_at timestamptz) returns void
language sql as $$ update agg.alert as a set resolved_at = p_at where a.canonical_symbol = p_symbol and a.resolved_at is null $$;
-- What is claimed: target, event and symbol of each message.
create function pg_temp.claim(p_now timestamptz, p_limit integer default 50) returns text[]
language sql as $$
  select coalesce(array_agg(concat_ws(' ', c.target, c.body::jsonb #>> '{type}', c.body::jsonb #>> '{data,canonical_symbol}')), '{}')
  from public.agg_claim_deliveries(p_limit, p_now) as c
$$;
-- Claims, and answers each message with a status; null: no answer.
create function pg_temp.send(p_now timestamptz, p_status integer, p_retry_after integer default null, p_error text default 'HTTP') returns jsonb
language sql as $$
  select public.agg_finish_deliveries(
    jsonb_agg(jsonb_build_object(
      'target', c.target, 'message_id', c.message_id, 'status', p_status, 'retry_after', p_retry_after,
      'error', case when p_status between 200 and 299 then null else concat_ws(' ', p_error, p_status) end
    )),
    p_now
  )
  from public.agg_claim_deliveries(50, p_now) as c
$$;
create function pg_temp.target(p_name text) returns agg.alert_target
language sql as $$ select t from agg.alert_target as t where t.name = p_name $$;

select pg_temp.raise('OLD', '2025-07-01 00:00+00');
select pg_temp.resolve('OLD', '2025-07-01 00:01+00');
select pg_temp.raise('ACME', '2025-07-01 00:02+00');
do $$ begin perform public.agg_add_alert_target('ops', 'webhook', p_now => '2025-07-01 00:03+00'); end; $$;

select is(pg_temp.claim('2025-07-01 00:05+00'), array['ops alert.opened ACME'], 'a new target hears of the alerts that are open, and of no older one');
select is(pg_temp.claim('2025-07-01 00:06+00'), '{}', 'what is claimed is not claimed again at once');
select is(pg_temp.claim('2025-07-01 00:08+00'), array['ops alert.opened ACME'], 'after three minutes it is: the one who claimed it may have died');
select is(
  (select count(distinct d.message_id) from agg.delivery as d), 1::bigint, 'it is the same message'
);
select is(pg_temp.send('2025-07-01 00:11+00', 200), '{"delivered": 1, "failed": 0, "stopped": []}', 'agg_finish_deliveries() counts what arrived');
select is(pg_temp.claim('2025-07-01 01:00+00'), '{}', 'what arrived is not sent again');
select pg_temp.resolve('ACME', '2025-07-01 01:01+00');
select is(
  (select c.body::jsonb from public.agg_claim_deliveries(1, '2025-07-01 01:05+00') as c),
  jsonb_build_object(
    'type', 'alert.resolved', 'timestamp', '2025-07-01T01:01:00+00:00',
    'data', jsonb_build_object(
      'alert_id', (select a.alert_id from agg.alert as a where a.canonical_symbol = 'ACME'), 'env', 'prod', 'kind', 'no_data',
      'canonical_symbol', 'ACME', 'timeframe', '1m', 'severity', 'warning', 'message', 'is silent',
      'raised_at', '2025-07-01T00:02:00+00:00', 'resolved_at', '2025-07-01T01:01:00+00:00'
    )
  ),
  'a resolved alert is told once more, with all that is known of it'
);
select is(pg_temp.send('2025-07-01 01:08+00', 204) -> 'delivered', '1', 'any 2xx is success');

-- A short alert.
select pg_temp.raise('BLIP', '2025-07-01 02:00+00');
select pg_temp.resolve('BLIP', '2025-07-01 02:01+00');
select is(pg_temp.claim('2025-07-01 02:05+00'), array['ops alert.opened BLIP'], 'an alert that came and went between two calls is told of');
select is(pg_temp.send('2025-07-01 02:08+00', 200) -> 'delivered', '1');
select is(pg_temp.claim('2025-07-01 02:09+00'), array['ops alert.resolved BLIP'], 'and that it is resolved, once the first message has arrived');
select is(pg_temp.send('2025-07-01 02:12+00', 200) -> 'delivered', '1');

-- Severity.
do $$ begin perform public.agg_add_alert_target('pager', 'webhook', 'critical', '2025-07-01 03:00+00'); end; $$;
select pg_temp.raise('WARN', '2025-07-01 03:00+00');
select is(pg_temp.claim('2025-07-01 03:01+00'), array['ops alert.opened WARN'], 'a target may want critical alerts only');
update agg.alert as a set severity = 'critical' where a.canonical_symbol = 'WARN';
select is(pg_temp.claim('2025-07-01 03:02+00'), array['pager alert.opened WARN'], 'it hears of one that becomes critical, when it does');
select is(pg_temp.send('2025-07-01 03:10+00', 200) -> 'delivered', '2');
do $$ begin perform public.agg_remove_alert_target('pager'); end; $$;

-- A target that is away.
select pg_temp.raise('ONE', '2025-07-01 04:00+00');
select pg_temp.raise('TWO', '2025-07-01 04:00:01+00');
select is(pg_temp.claim('2025-07-01 04:01+00', 1), array['ops alert.opened ONE'], 'p_limit bounds what a target gets at once, the oldest first');
select is(pg_temp.send('2025-07-01 04:05+00', 503), '{"delivered": 0, "failed": 2, "stopped": []}');
select is(
  format('%s %s', pg_temp.claim('2025-07-01 04:06+00'), pg_temp.claim('2025-07-01 04:07+00')),
  '{} {"ops alert.opened ONE","ops alert.opened TWO"}', 'a 5xx puts the target off for two minutes'
);
select is(pg_temp.send('2025-07-01 04:10+00', null) -> 'failed', '2');
select is((pg_temp.target('ops')).next_try_at, timestamptz '2025-07-01 04:14+00', 'then for four, where no answer comes');
select is(pg_temp.send('2025-07-01 04:14+00', 429, 30) -> 'failed', '2');
select is((pg_temp.target('ops')).next_try_at, timestamptz '2025-07-01 04:14:30+00', 'Retry-After is kept');
select is(pg_temp.send('2025-07-01 04:15+00', 302) -> 'failed', '2', 'a redirect is a failure');
select is(
  (select p.problem from agg.target_problems('2025-07-01 04:16:01+00') as p),
  '2 messages wait, the oldest since 2025-07-01 04:01:00+00: HTTP 302', 'after 15 minutes it has a problem'
);
-- One message that is refused.
select is(pg_temp.send('2025-07-01 05:00+00', 400) -> 'failed', '2');
select is((pg_temp.target('ops')).next_try_at < '2025-07-01 05:00+00', true, 'a 400 puts off the message, not the target');
select is(pg_temp.send('2025-07-01 06:00+00', 200) -> 'delivered', '2', 'it is tried again later');

-- A target that is gone.
select pg_temp.raise('LOST', '2025-07-01 07:00+00');
select is(pg_temp.send('2025-07-01 07:00+00', 410), '{"delivered": 0, "failed": 1, "stopped": ["ops"]}', 'a 410 stops the target');
select is(pg_temp.claim('2025-07-01 08:00+00'), '{}', 'nothing is tried there any more');
do $$ begin perform public.agg_add_alert_target('second', 'webhook', p_now => '2025-07-01 08:00+00'); perform agg.refresh_alerts('2025-07-01 08:00+00', p_is_maintenance => true); end; $$;
select results_eq(
  $$ select a.severity, a.message from agg.alert as a where a.kind = 'undelivered' $$,
  $$ values ('warning', 'ops: stopped at 2025-07-01 07:00:00+00: HTTP 410') $$, 'an alert says so'
);
select is(
  (select array_agg(d.target order by d.target) from agg.delivery as d join agg.alert as a on a.alert_id = d.alert_id where a.kind = 'undelivered' and d.event = 'opened'),
  null, 'no message yet'
);
select is(
  (select array_agg(c order by c) from unnest(pg_temp.claim('2025-07-01 08:01+00')) as c where c ~ '\*'), array['second alert.opened *'],
  'it goes to the other target, and not to the one that is gone'
);
do $$ begin perform public.agg_add_alert_target('ops', 'webhook', p_now => '2025-07-01 09:00+00'); end; $$;
create temporary table again as select c.message from unnest(pg_temp.claim('2025-07-01 09:00+00')) as c (message);
select is(
  (select array_agg(a.message) from again as a where a.message ~ 'LOST'), array['ops alert.opened LOST'], 'a target that is added again gets what waited'
);
select is_empty($$ select a.message from again as a where a.message ~ '^ops .*\*' $$, 'and not the alert that it was gone');

-- A clock that was a year ahead.
delete from agg.delivery;
delete from agg.alert;
delete from agg.alert_target;
do $$ begin perform public.agg_add_alert_target('far', 'webhook', p_now => '2025-08-01 00:00+00'); end; $$;
select pg_temp.raise('ACME', '2026-08-01 00:00+00');
do $$ begin perform agg.add_deliveries('2026-08-01 00:00+00'); end; $$;
select pg_temp.send('2026-08-01 00:00+00', null);
select is((pg_temp.target('far')).next_try_at > '2026-08-01 00:00+00', true, 'a target that cannot be reached waits');
do $$ begin perform agg.add_deliveries('2025-08-01 00:05+00'); end; $$;
select is(pg_temp.claim('2025-08-01 00:05+00'), array['far alert.opened ACME'], 'no longer than the clock that was ahead says');

select * from finish();
rollback;
