comment on function public.agg_add_alert_target is
'Adds a target of alerts, or changes its severity, and starts one that was stopped.
p_name: 1 to 31 lower-case letters, digits and underscores. p_kind: slack (an incoming webhook, or what takes the same bodies), webhook (Standard Webhooks, signed) or heartbeat (a URL that is called after each healthy maintenance run). p_min_severity: warning (all alerts) or critical. p_now is the clock.
Its URL, and the signing secret of a webhook (whsec_...), are not arguments: they are secrets, in Vault under pgbars_alert_NAME_url and pgbars_alert_NAME_secret. Without Vault they are the variables PGBARS_ALERT_NAME_URL and PGBARS_ALERT_NAME_SECRET, in upper case, of the function deliver-alerts.
A new target gets the alerts that are open, and all later ones. Returns success and missing: what keeps messages from being sent, and what helps. The target is added all the same. Raises invalid_parameter_value for a name, kind or severity that it does not know, and for a target of another kind.';

create function public.agg_add_alert_target(
  p_name text, p_kind text, p_min_severity text default 'warning', p_now timestamptz default now()
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_has_vault constant boolean := to_regclass('vault.decrypted_secrets') is not null;
begin
  if coalesce(p_name, '') !~ '^[a-z][a-z0-9_]{0,30}$' then
    raise exception 'p_name must have 1 to 31 lower-case letters, digits and underscores, and begin with a letter'
      using errcode = 'invalid_parameter_value';
  end if;
  if p_kind is null or p_kind not in ('slack', 'webhook', 'heartbeat') then
    raise exception 'p_kind must be slack, webhook or heartbeat, not %', coalesce(p_kind, 'null') using errcode = 'invalid_parameter_value';
  end if;
  if p_min_severity is null or p_min_severity not in ('critical', 'warning') then
    raise exception 'p_min_severity must be critical or warning, not %', coalesce(p_min_severity, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if exists (select from agg.alert_target as t where t.name = p_name and t.kind <> p_kind) then
    raise exception 'the target % is of another kind', p_name
      using errcode = 'invalid_parameter_value', hint = format('select agg_remove_alert_target(%L); first.', p_name);
  end if;
  insert into agg.alert_target as t (name, kind, min_severity, added_at, next_try_at)
  values (p_name, p_kind, p_min_severity, p_now, p_now)
  on conflict (name) do update
  set
    min_severity = excluded.min_severity, next_try_at = p_now,
    failures = 0, failing_since = null, error = null, stopped_at = null;
  return jsonb_build_object('success', true, 'missing', (
    select coalesce(jsonb_agg(jsonb_build_object('what', m.what, 'remedy', m.remedy)), '[]')
    from (
      select p.what, p.remedy
      from agg.webhook_problems('pgbars_deliver_alerts_url', 'pgbars_deliver_alerts_key', 'deliver-alerts') as p
      union all
      select
        format('the secret pgbars_alert_%s_%s is missing', p_name, s.what),
        case
          when v_has_vault then format('select vault.create_secret(%L, %L);', s.example, format('pgbars_alert_%s_%s', p_name, s.what))
          else format('supabase secrets set PGBARS_ALERT_%s_%s=%s', upper(p_name), upper(s.what), s.example)
        end
      from (values ('url', 'https://...'), ('secret', 'whsec_...')) as s (what, example)
      where (s.what = 'url' or p_kind = 'webhook') and agg.target_secret(p_name, s.what) is null
    ) as m
  ));
end;
$$;
