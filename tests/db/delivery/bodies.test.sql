begin;
select plan(9);

create function pg_temp.slack(p_alert jsonb, p_event text default 'opened') returns jsonb
language sql as $$
  select agg.delivery_body(
    'slack', p_event,
    '{"alert_id": 7, "kind": "no_data", "canonical_symbol": "ACME", "timeframe": "1m", "severity": "critical", "env": "prod",
      "message": "silent", "raised_at": "2025-07-01T00:00:00+00:00", "resolved_at": null}'::jsonb || p_alert,
    '2025-07-01 00:00+00'
  )::jsonb
$$;

select is(
  pg_temp.slack('{}'),
  '{
    "text": "Critical: no_data ACME 1m",
    "blocks": [
      {"type": "header", "text": {"type": "plain_text", "text": "Critical: no_data ACME 1m"}},
      {"type": "section", "text": {"type": "plain_text", "text": "silent"}},
      {"type": "context", "elements": [{"type": "plain_text", "text": "prod, raised 2025-07-01T00:00:00+00:00"}]}
    ]
  }',
  'a message for Slack'
);
select is(
  pg_temp.slack('{"resolved_at": "2025-07-01T01:00:00+00:00"}', 'resolved') #>> '{text}', 'Resolved: no_data ACME 1m', 'a resolved alert says so'
);
select is(
  pg_temp.slack('{"canonical_symbol": "*", "timeframe": "*", "kind": "slow"}') #>> '{text}', 'Critical: slow', 'an alert of the whole database names no symbol'
);
select is(
  pg_temp.slack('{"canonical_symbol": "<!channel> & <@U1>"}') #>> '{text}', 'Critical: no_data &lt;!channel&gt; &amp; &lt;@U1&gt; 1m',
  'no symbol can mention a channel'
);
select is(pg_temp.slack('{"message": "<!channel>"}') #>> '{blocks,1,text,type}', 'plain_text', 'nor can a message');
select is(pg_temp.slack('{"message": ""}') #>> '{blocks,1,text,text}', '-', 'a section must not be empty');
select ok(
  (
    -- Characters above U+FFFF count as two where text is UTF-16.
    select 2 * max(length(v.value #>> '{}')) <= 3000
    from jsonb_path_query(pg_temp.slack(jsonb_build_object('message', repeat('😀', 5000))), 'strict $.**.text') as v (value)
    where jsonb_typeof(v.value) = 'string'
  ),
  'a message is cut to what a section takes, whatever its characters'
);
select ok(
  2 * length(pg_temp.slack(jsonb_build_object('canonical_symbol', repeat('😀', 200))) #>> '{blocks,0,text,text}') <= 150,
  'a headline to what a header takes'
);
select is(
  agg.delivery_body('webhook', 'opened', '{"kind": "no_data"}', '2025-07-01 00:00+00')::jsonb,
  '{"type": "alert.opened", "timestamp": "2025-07-01T00:00:00+00:00", "data": {"kind": "no_data"}}', 'a Standard Webhook has type, timestamp and data'
);

select * from finish();
rollback;
