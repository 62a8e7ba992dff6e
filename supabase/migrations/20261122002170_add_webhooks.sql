create function agg.read_secret(p_name text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_secret text;
begin
  execute format('select s.decrypted_secret from vault.decrypted_secrets as s where s.name = %L', p_name) into v_secret;
  return v_secret;
end;
$$;

create function agg.webhook_problems(p_url_secret text, p_key_secret text)
returns table (what text, remedy text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_has_vault constant boolean := to_regclass('vault.decrypted_secrets') is not null;
  v_name text;
  v_kind text;
  v_pattern text;
  v_example text;
  v_value text;
begin
  if to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null then
    return query values ('the extension pg_net is missing', 'create extension pg_net;');
  end if;
  if not v_has_vault then
    return query values ('the extension supabase_vault is missing', 'create extension supabase_vault cascade;');
  end if;

  for v_name, v_kind, v_pattern, v_example in
    values
      (p_url_secret, 'an http(s) URL', '^https?://[^[:space:]/?#]+([/?#][^[:space:]]*)?$', 'https://YOUR_PROJECT.supabase.co/functions/v1/registry-sync'),
      (p_key_secret, 'an API key', '^[!-~]+$', 'sb_secret_...')
  loop
    v_value := case when v_has_vault then agg.read_secret(v_name) end;
    if v_value is null then
      return query values (
        format('the secret %s is missing', v_name), format('select vault.create_secret(%L, %L);', v_example, v_name)
      );
    elsif v_value !~ v_pattern then
      return query values (
        format('the secret %s is not %s', v_name, v_kind),
        format('select vault.update_secret((select s.id from vault.secrets as s where s.name = %L), %L);', v_name, v_example)
      );
    end if;
  end loop;
end;
$$;

-- Supabase's own supabase_functions.http_request is not used. It needs pg_net as well, posts once a row, and takes URL and
-- headers as arguments of the trigger: the key would stand in the catalog, where every role may read it.
create function agg.send_webhook()
returns trigger
language plpgsql
volatile
-- Whoever may write the registry need not be allowed to read secrets.
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_record jsonb;
  v_old_record jsonb;
  v_problems text;
begin
  if tg_op = 'INSERT' then
    select to_jsonb(n) into v_record from new_rows as n order by n.canonical_symbol limit 1;
  elsif tg_op = 'DELETE' then
    select to_jsonb(o) into v_old_record from old_rows as o order by o.canonical_symbol limit 1;
  else
    with changed as materialized (
      select to_jsonb(n) as record, to_jsonb(o) as old_record
      from new_rows as n
      full join old_rows as o on o.canonical_symbol = n.canonical_symbol
      where to_jsonb(n) - 'updated_at' is distinct from to_jsonb(o) - 'updated_at'
    )
    select
      c.record,
      -- A renamed asset has its old row under another symbol.
      coalesce(c.old_record, (
        select d.old_record from changed as d where d.record is null order by d.old_record ->> 'canonical_symbol' limit 1
      ))
    into v_record, v_old_record
    from changed as c
    where c.record is not null
    order by c.record ->> 'canonical_symbol'
    limit 1;
  end if;
  if v_record is null and v_old_record is null then
    return null;
  end if;

  begin
    select string_agg(format('%s: %s', p.what, p.remedy), ' ') into v_problems
    from agg.webhook_problems(tg_argv[0], tg_argv[1]) as p;
    if v_problems is not null then
      raise warning 'a change of % was not sent: %', tg_table_name, v_problems;
      return null;
    end if;
    execute format(
      'select net.http_post(url => %L, body => $1, headers => $2, timeout_milliseconds => 10000)', agg.read_secret(tg_argv[0])
    ) using
      jsonb_build_object(
        'type', tg_op, 'table', tg_table_name, 'schema', tg_table_schema, 'record', v_record, 'old_record', v_old_record
      ),
      jsonb_build_object('content-type', 'application/json', 'apikey', agg.read_secret(tg_argv[1]));
  exception when others then
    raise warning 'a change of % was not sent: % (%)', tg_table_name, sqlerrm, sqlstate;
  end;
  return null;
end;
$$;

create function public.install_webhooks(
  p_url_secret text default 'pgbars_registry_sync_url', p_key_secret text default 'pgbars_registry_sync_key'
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_missing jsonb;
  v_event text;
begin
  if p_url_secret is null or p_key_secret is null then
    raise exception 'p_url_secret and p_key_secret must be names of secrets' using errcode = 'invalid_parameter_value';
  end if;
  select jsonb_agg(jsonb_build_object('what', p.what, 'remedy', p.remedy)) into v_missing
  from agg.webhook_problems(p_url_secret, p_key_secret) as p;
  if v_missing is not null then
    raise notice 'nothing was set up: %', (select string_agg(m.item ->> 'what', '; ') from jsonb_array_elements(v_missing) as m (item))
      using hint = (select string_agg(m.item ->> 'remedy', ' ') from jsonb_array_elements(v_missing) as m (item));
    return jsonb_build_object(
      'success', false, 'missing', v_missing, 'message', 'nothing was set up: do what missing says, and call again'
    );
  end if;

  foreach v_event in array array['insert', 'update', 'delete'] loop
    execute format(
      'create or replace trigger %I after %s on public.core_asset_registry_all referencing %s '
        'for each statement execute function agg.send_webhook(%L, %L)',
      'send_webhook_' || v_event,
      v_event,
      case v_event
        when 'insert' then 'new table as new_rows'
        when 'update' then 'new table as new_rows old table as old_rows'
        else 'old table as old_rows'
      end,
      p_url_secret,
      p_key_secret
    );
  end loop;
  return jsonb_build_object(
    'success', true, 'missing', '[]'::jsonb,
    'message', format('changes of core_asset_registry_all are posted to the URL in %s with the key in %s', p_url_secret, p_key_secret)
  );
end;
$$;

create function public.remove_webhooks()
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_removed constant text[] := array(
    select t.tgname::text
    from pg_catalog.pg_trigger as t
    where t.tgrelid = 'public.core_asset_registry_all'::regclass and t.tgfoid = 'agg.send_webhook'::regproc
    order by 1
  );
  v_name text;
begin
  foreach v_name in array v_removed loop
    execute format('drop trigger %I on public.core_asset_registry_all', v_name);
  end loop;
  return jsonb_build_object('success', true, 'removed', to_jsonb(v_removed));
end;
$$;

revoke execute on function agg.read_secret(text) from public, anon, authenticated, service_role;
revoke execute on function agg.webhook_problems(text, text) from public, anon, authenticated, service_role;
revoke execute on function agg.send_webhook() from public, anon, authenticated, service_role;
revoke execute on function public.install_webhooks(text, text) from public, anon, authenticated, service_role;
revoke execute on function public.remove_webhooks() from public, anon, authenticated, service_role;

comment on function agg.read_secret(text) is
  'The value that Vault holds under this name; null where there is none. Raises where there is no Vault.';
comment on function agg.webhook_problems(text, text) is
  'What keeps a webhook with URL and key in these secrets from being sent, and the SQL that mends it; no row where nothing does. Never shows what a secret holds.';
comment on function agg.send_webhook() is
  'Posts the payload of a Supabase database webhook through pg_net, which sends it after commit. Once a statement, with the first changed asset by symbol, however many changed: registry-sync syncs them all, and a load of 10,000 assets must not post 10,000 times; insert ... on conflict counts as an insert and an update. An update of nothing but updated_at posts nothing. Its arguments are the names of the secrets in Vault that hold URL and key, read each time. Whatever goes wrong is a warning: delivery is at most once, and the registry does not depend on it.';
comment on function public.install_webhooks(text, text) is
  'Has every insert, update and delete of core_asset_registry_all posted to the Edge Function registry-sync, through pg_net, with URL and key from the secrets of these names in Vault: rotate them there, and the next post has them. Where an extension or a secret is missing it changes nothing, and missing says what and which SQL mends it. For the owner of the database; may be repeated, other names replace those before. Raises invalid_parameter_value for null.';
comment on function public.remove_webhooks() is
  'Takes away what install_webhooks set up, and returns the names of the triggers it removed. For the owner of the database; may be repeated.';
