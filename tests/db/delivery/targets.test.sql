begin;
select plan(17);

call tests.clear();
create function pg_temp.missing(p_result jsonb) returns text[]
language sql as $$ select array(select m.item ->> 'what' from jsonb_array_elements(p_result -> 'missing') as m (item)) $$;

select is(
  pg_temp.missing(public.agg_add_alert_target('ops', 'webhook', p_now => '2025-07-01 00:00+00')),
  array[
    'the extension pg_net is missing', 'the extension supabase_vault is missing', 'the secret pgbars_deliver_alerts_url is missing',
    'the secret pgbars_deliver_alerts_key is missing', 'the secret pgbars_alert_ops_url is missing', 'the secret pgbars_alert_ops_secret is missing'
  ],
  'agg_add_alert_target() says what is missing'
);
select results_eq(
  'select t.name, t.kind, t.min_severity, t.state, t.waiting, t.error from public.agg_alert_targets(''2025-07-01 00:00+00'') as t',
  $$ values ('ops', 'webhook', 'warning', 'ok', 0::bigint, null::text) $$, 'the target is there all the same: the function may know its secrets'
);
select results_eq(
  $$
    select m.item ->> 'remedy'
    from jsonb_array_elements(public.agg_add_alert_target('ops', 'webhook') -> 'missing') as m (item)
    where m.item ->> 'what' ~ 'pgbars_(alert|deliver)'
  $$,
  array[
    'select vault.create_secret(''https://YOUR_PROJECT.supabase.co/functions/v1/deliver-alerts'', ''pgbars_deliver_alerts_url'');',
    'select vault.create_secret(''sb_secret_...'', ''pgbars_deliver_alerts_key'');',
    'supabase secrets set PGBARS_ALERT_OPS_URL=https://...', 'supabase secrets set PGBARS_ALERT_OPS_SECRET=whsec_...'
  ],
  'without Vault the secrets are variables of the function'
);
select is(
  pg_temp.missing(public.agg_add_alert_target('chat', 'slack')) @> array['the secret pgbars_alert_chat_secret is missing'], false,
  'a Slack webhook has no signing secret'
);

create schema net;
create table net.posted (url text, body jsonb, headers jsonb);
create function net.http_post(url text, body jsonb, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds integer default 1)
returns bigint language sql as 'insert into net.posted values (url, body, headers) returning 1::bigint';
create schema vault;
create table vault.decrypted_secrets (id uuid, name text, decrypted_secret text);
insert into vault.decrypted_secrets (name, decrypted_secret)
values
  ('pgbars_deliver_alerts_url', 'https://127.0.0.1/functions/v1/deliver-alerts'), ('pgbars_deliver_alerts_key', 'sb_secret_key'),
  ('pgbars_alert_ops_url', 'https://127.0.0.1/hook');
select results_eq(
  $$ select m.item ->> 'remedy' from jsonb_array_elements(public.agg_add_alert_target('ops', 'webhook') -> 'missing') as m (item) $$,
  array['select vault.create_secret(''whsec_...'', ''pgbars_alert_ops_secret'');'], 'with Vault they are kept there'
);
insert into vault.decrypted_secrets (name, decrypted_secret) values ('pgbars_alert_ops_secret', 'whsec_cGdiYXJzLXRlc3Qta2V5LTI0LWJ5dGVz');
select is(
  public.agg_add_alert_target('ops', 'webhook', p_now => '2025-07-01 00:00+00'), '{"success": true, "missing": []}', 'agg_add_alert_target() has nothing left to ask for'
);

select throws_ok($$ select public.agg_add_alert_target('Ops', 'webhook') $$, '22023', 'p_name must have 1 to 31 lower-case letters, digits and underscores, and begin with a letter');
select throws_ok($$ select public.agg_add_alert_target('ops', 'mail') $$, '22023', 'p_kind must be slack, webhook or heartbeat, not mail');
select throws_ok($$ select public.agg_add_alert_target('ops', 'slack', 'info') $$, '22023', 'p_min_severity must be critical or warning, not info');

select throws_ok($$ select public.agg_add_alert_target('ops', 'slack') $$, '22023', 'the target ops is of another kind');

-- The maintenance job wakes the function, where there is something to send.
do $$ begin perform public.agg_remove_alert_target('chat'); perform public.agg_maintain(p_now => '2025-07-01 00:00+00'); end; $$;
select is_empty('select from net.posted', 'without an alert the function is not called');
insert into agg.alert (kind, canonical_symbol, timeframe, severity, message, raised_at)
values ('wrong', 'ACME', '5m', 'warning', 'bars were wrong', '2025-07-01 00:04+00');
select is(public.agg_maintain(p_now => '2025-07-01 00:05+00') -> 'messages_ready', '1', 'agg_maintain() says how many messages may be sent');
select results_eq(
  'select p.url, p.body, p.headers from net.posted as p',
  $$
    values (
      'https://127.0.0.1/functions/v1/deliver-alerts', jsonb '{}',
      jsonb '{"content-type": "application/json", "apikey": "sb_secret_key"}'
    )
  $$,
  'it calls the function with its key, and says nothing in the body'
);
select results_eq(
  $$ select c.target, c.kind, c.url, c.secret from public.agg_claim_deliveries(p_now => '2025-07-01 00:05+00') as c $$,
  $$ values ('ops', 'webhook', 'https://127.0.0.1/hook', 'whsec_cGdiYXJzLXRlc3Qta2V5LTI0LWJ5dGVz') $$,
  'the function gets URL and secret from Vault'
);
drop function net.http_post;
select lives_ok($$ select public.agg_maintain(p_now => '2025-07-01 00:10+00') $$, 'without pg_net the maintenance job goes on');

select is(public.agg_remove_alert_target('ops'), '{"removed": true}', 'agg_remove_alert_target() removes a target');
select is(public.agg_remove_alert_target('ops'), '{"removed": false}', 'once');

select * from finish();
rollback;
