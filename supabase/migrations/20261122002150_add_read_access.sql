create function agg.read_policy_name(p_role text)
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select left('pgbars_read_' || p_role, 63);
$$;

create function agg.require_reader(p_role text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from pg_catalog.pg_roles as r where r.rolname = p_role) then
    raise exception '% is not a role', coalesce(p_role, 'null')
      using errcode = 'undefined_object', hint = 'On Supabase: authenticated (signed in), or anon (everybody).';
  end if;
end;
$$;

create function public.grant_read_access(p_role text)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set client_min_messages = warning
as $$
declare
  v_table text;
begin
  perform agg.require_reader(p_role);
  execute format('grant usage on schema public to %I', p_role);
  foreach v_table in array array['data_bars', 'derived_data_bars'] loop
    execute format('grant select on table public.%I to %I', v_table, p_role);
    execute format('drop policy if exists %I on public.%I', agg.read_policy_name(p_role), v_table);
    execute format(
      'create policy %I on public.%I for select to %I using (%s)', agg.read_policy_name(p_role), v_table, p_role,
      case v_table when 'derived_data_bars' then 'deleted_at is null' else 'true' end
    );
  end loop;
  return jsonb_build_object('success', true, 'role', p_role, 'tables', jsonb_build_array('data_bars', 'derived_data_bars'));
end;
$$;

create function public.revoke_read_access(p_role text)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set client_min_messages = warning
as $$
declare
  v_table text;
begin
  perform agg.require_reader(p_role);
  foreach v_table in array array['data_bars', 'derived_data_bars'] loop
    execute format('revoke select on table public.%I from %I', v_table, p_role);
    execute format('drop policy if exists %I on public.%I', agg.read_policy_name(p_role), v_table);
  end loop;
  return jsonb_build_object('success', true, 'role', p_role, 'tables', jsonb_build_array('data_bars', 'derived_data_bars'));
end;
$$;

revoke execute on function agg.read_policy_name(text) from public, anon, authenticated, service_role;
revoke execute on function agg.require_reader(text) from public, anon, authenticated, service_role;
revoke execute on function public.grant_read_access(text) from public, anon, authenticated, service_role;
revoke execute on function public.revoke_read_access(text) from public, anon, authenticated, service_role;

comment on function agg.read_policy_name(text) is 'The policy that opens bars to a role.';
comment on function agg.require_reader(text) is 'Raises undefined_object for a role that does not exist.';
comment on function public.grant_read_access(text) is
  'Opens bars read-only to a role (authenticated, anon or one of your own), over the Data API and directly: select on data_bars and on the bars of derived_data_bars that are not deleted; nothing else. For the owner of the tables; may be repeated. Raises undefined_object for an unknown role.';
comment on function public.revoke_read_access(text) is
  'Takes back what grant_read_access opened to a role. For the owner of the tables; may be repeated.';
