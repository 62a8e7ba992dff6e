comment on function public.agg_remove_alert_target is
'Removes a target of alerts, with the messages that wait for it. Its secrets in Vault stay.
Returns removed, false where there was no such target. Repeating it changes nothing.';

create function public.agg_remove_alert_target(p_name text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from agg.alert_target as t where t.name = p_name;
  return jsonb_build_object('removed', found);
end;
$$;
