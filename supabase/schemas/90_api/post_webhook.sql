comment on function agg.post_webhook is
  'Has pg_net send p_body after the commit, to the URL and with the key that Vault holds in these secrets. Call it where agg.webhook_problems finds nothing. p_timeout_ms: how long the answer may take.';

create function agg.post_webhook(p_url_secret text, p_key_secret text, p_body jsonb, p_timeout_ms integer)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('select net.http_post(url => %L, body => $1, headers => $2, timeout_milliseconds => $3)', agg.read_secret(p_url_secret)) using
    p_body, jsonb_build_object('content-type', 'application/json', 'apikey', agg.read_secret(p_key_secret)), p_timeout_ms;
end;
$$;
