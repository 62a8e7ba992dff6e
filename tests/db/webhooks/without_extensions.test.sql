begin;
select plan(9);

create function pg_temp.missing() returns text[]
language sql as $$
  select array(select m.item ->> 'what' from jsonb_array_elements(public.install_webhooks() -> 'missing') as m (item));
$$;
create function pg_temp.webhook_triggers() returns bigint
language sql as $$
  select count(*) from pg_catalog.pg_trigger as t where t.tgfoid = 'agg.send_webhook'::regproc;
$$;

select is(public.install_webhooks() -> 'success', 'false', 'install_webhooks() sets up nothing without pg_net and Vault');
select is(
  pg_temp.missing(),
  array[
    'the extension pg_net is missing', 'the extension supabase_vault is missing',
    'the secret pgbars_registry_sync_url is missing', 'the secret pgbars_registry_sync_key is missing'
  ],
  'install_webhooks() names everything that is missing at once'
);
select is(
  array(select m.item ->> 'remedy' from jsonb_array_elements(public.install_webhooks('a url', 'a''key') -> 'missing') as m (item)),
  array[
    'create extension pg_net;',
    'create extension supabase_vault cascade;',
    'select vault.create_secret(''https://YOUR_PROJECT.supabase.co/functions/v1/registry-sync'', ''a url'');',
    'select vault.create_secret(''sb_secret_...'', ''a''''key'');'
  ],
  'install_webhooks() gives the SQL that supplies each, with the names that it was given'
);

create schema net;
create function net.http_post(text, jsonb, jsonb, jsonb, integer) returns bigint language sql as 'select 1::bigint';
create schema vault;
create table vault.decrypted_secrets (id uuid, name text, decrypted_secret text);
insert into vault.decrypted_secrets (name, decrypted_secret)
values ('pgbars_registry_sync_url', 'ftp://127.0.0.1/registry-sync'), ('pgbars_registry_sync_key', 'two words');
select is(
  pg_temp.missing(),
  array['the secret pgbars_registry_sync_url is not an http(s) URL', 'the secret pgbars_registry_sync_key is not an API key'],
  'install_webhooks() says which secret cannot be used'
);
select unalike(
  public.install_webhooks()::text, '%two words%', 'install_webhooks() does not show what a secret holds'
);
update vault.decrypted_secrets as s set decrypted_secret = 'https://127.0.0.1/registry-sync' where s.name ~ 'url';
select is(pg_temp.missing(), array['the secret pgbars_registry_sync_key is not an API key'], 'install_webhooks() no longer names what was fixed');
select is(pg_temp.webhook_triggers(), 0::bigint, 'a call that finds something missing sets up nothing');

select throws_ok(
  'select public.install_webhooks(null)', '22023', 'p_url_secret and p_key_secret must be names of secrets',
  'install_webhooks() refuses a null name'
);
select is(
  public.remove_webhooks(), '{"success": true, "removed": []}', 'remove_webhooks() has nothing to remove, and says so'
);

select * from finish();
rollback;
