comment on function public.revoke_operations_access is
'Takes from a role what grant_operations_access gave it.
Returns success, role and functions. For the owner of the functions. It may be repeated. Raises undefined_object for an unknown role.';

create function public.revoke_operations_access(p_role text)
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
  execute format(
    'revoke execute on function %s from %I',
    (select string_agg(format('public.%I', f.name), ', ') from unnest(agg.operations_functions()) as f (name)), p_role
  );
  return jsonb_build_object('success', true, 'role', p_role, 'functions', to_jsonb(agg.operations_functions()));
end;
$$;
