comment on function public.install_webhooks is
  'Posts every insert, update and delete of core_asset_registry_all to the Edge Function registry-sync, through pg_net.
p_url_secret and p_key_secret name the secrets in Vault that hold its URL and key. They are read for each post, so that a change of a secret takes effect with the next one.
Returns success, missing and message. Where an extension or a secret is missing it changes nothing, and missing lists what is missing and the SQL that helps.
For the owner of the database. It may be repeated; other names replace those before. Raises invalid_parameter_value for null.';

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
