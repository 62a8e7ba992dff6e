comment on function agg.webhook_problems is
  'What keeps a webhook with URL and key in these secrets from being sent, and the SQL that helps. No row where all is there. p_function is the Edge Function that the URL is of. Never shows the value of a secret.';

create function agg.webhook_problems(p_url_secret text, p_key_secret text, p_function text default 'registry-sync')
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
      (p_url_secret, 'an http(s) URL', '^https?://[^[:space:]/?#]+([/?#][^[:space:]]*)?$', 'https://YOUR_PROJECT.supabase.co/functions/v1/' || p_function),
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
