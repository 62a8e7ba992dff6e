comment on function agg.wake_delivery is
'Asks the Edge Function deliver-alerts, through pg_net, to send what may be sent. Returns how many messages and heartbeats that are.
A heartbeat is due where p_is_synced (the registry sync worked), the dispatcher has run in the last five minutes or agg_pause has stopped it, and every message arrives: so that an outside monitor speaks where this database cannot.
URL and key are in Vault: pgbars_deliver_alerts_url and pgbars_deliver_alerts_key. Where these or the extensions are missing, a runner of your own must call the function. What pg_net answers is not looked at: the function itself says what was delivered. Errors become warnings.';

create function agg.wake_delivery(p_now timestamptz, p_is_synced boolean)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ready integer;
begin
  if not exists (select from agg.alert_target as t) then
    return 0;
  end if;
  perform agg.add_deliveries(p_now);
  update agg.alert_target as t
  set heartbeat_due_at = p_now
  where t.kind = 'heartbeat' and p_is_synced
    and not exists (select from agg.target_problems(p_now) as p where p.kind <> 'heartbeat')
    and (
      agg.is_paused(p_now)
      or exists (select from agg.run_log as l where l.finished_at > p_now - interval '5 minutes' and l.stopped_reason <> 'busy')
    );
  v_ready := (select count(*) from agg.ready_deliveries(p_now) as d)
    + (select count(*) from agg.alert_target as t where t.heartbeat_due_at is not null);
  if v_ready > 0
    and not exists (select from agg.webhook_problems('pgbars_deliver_alerts_url', 'pgbars_deliver_alerts_key', 'deliver-alerts'))
  then
    perform agg.post_webhook('pgbars_deliver_alerts_url', 'pgbars_deliver_alerts_key', '{}', 60000);
  end if;
  return v_ready;
exception when others then
  raise warning 'the function deliver-alerts was not called: % (%)', sqlerrm, sqlstate;
  return v_ready;
end;
$$;
