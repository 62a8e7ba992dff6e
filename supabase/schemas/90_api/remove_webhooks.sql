comment on function public.remove_webhooks is
  'Removes what install_webhooks made.
Returns success and removed, the names of the triggers that are gone. For the owner of the database. It may be repeated.';

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
