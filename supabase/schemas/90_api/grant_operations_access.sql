comment on function public.grant_operations_access is
'Lets a role see how the database does, over the Data API and directly: it may call agg_alerts, agg_asset, agg_check, agg_explain, agg_fleet, agg_health, agg_pending, agg_runs and agg_size, and nothing else.
p_role is authenticated, anon or a role of your own. These functions name symbols, tasks and errors, and change nothing. They show no bar, but for agg_explain, which says what a bar that was corrected had been.
Returns success, role and functions. For the owner of the functions. Repeating it changes nothing, but for what an upgrade has added. Raises undefined_object for an unknown role.';

create function public.grant_operations_access(p_role text)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from pg_catalog.pg_roles as r where r.rolname = p_role) then
    raise exception '% is not a role', coalesce(p_role, 'null')
      using errcode = 'undefined_object', hint = 'On Supabase: authenticated (signed in), or anon (not signed in).';
  end if;
  if not has_schema_privilege(p_role, 'public', 'usage') then
    execute format('grant usage on schema public to %I', p_role);
  end if;
  execute format(
    'grant execute on function %s to %I',
    (select string_agg(format('public.%I', f.name), ', ') from unnest(agg.operations_functions()) as f (name)), p_role
  );
  return jsonb_build_object('success', true, 'role', p_role, 'functions', to_jsonb(agg.operations_functions()));
end;
$$;
