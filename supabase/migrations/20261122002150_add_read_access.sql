create function agg.read_policy_name(p_role text)
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- Names end at 63 bytes.
  select 'pgbars_read_' || case when octet_length(p_role) <= 51 then p_role else md5(p_role) end;
$$;

create function agg.readable_table(p_role text)
returns table (table_name text, policy_name text, is_open boolean)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from pg_catalog.pg_roles as r where r.rolname = p_role) then
    raise exception '% is not a role', coalesce(p_role, 'null')
      using errcode = 'undefined_object', hint = 'On Supabase: authenticated (signed in), or anon (everybody).';
  end if;
  if (select r.rolsuper or r.rolbypassrls from pg_catalog.pg_roles as r where r.rolname = p_role)
    or exists (
      select from pg_catalog.pg_class as c where c.oid = 'public.data_bars'::regclass and pg_get_userbyid(c.relowner) = p_role
    )
  then
    raise exception '% reads all bars by itself', p_role
      using errcode = 'invalid_parameter_value', hint = 'On Supabase: authenticated (signed in), or anon (everybody).';
  end if;
  return query
  select
    t.name, n.policy_name,
    exists (
      select from pg_catalog.pg_policies as p where p.schemaname = 'public' and p.tablename = t.name and p.policyname = n.policy_name
    )
  from (values ('data_bars'), ('derived_data_bars')) as t (name)
  cross join (select agg.read_policy_name(p_role)) as n (policy_name);
end;
$$;

create function public.grant_read_access(p_role text)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- A policy waits for whoever reads the table, and lets nobody write it meanwhile.
set lock_timeout = '5s'
as $$
declare
  v_table record;
begin
  for v_table in select t.* from agg.readable_table(p_role) as t loop
    if not has_schema_privilege(p_role, 'public', 'usage') then
      execute format('grant usage on schema public to %I', p_role);
    end if;
    if not has_table_privilege(p_role, format('public.%I', v_table.table_name), 'select') then
      execute format('grant select on table public.%I to %I', v_table.table_name, p_role);
    end if;
    if not v_table.is_open then
      execute format(
        'create policy %I on public.%I for select to %I using (%s)', v_table.policy_name, v_table.table_name, p_role,
        case v_table.table_name when 'derived_data_bars' then 'deleted_at is null' else 'true' end
      );
    end if;
  end loop;
  return jsonb_build_object('success', true, 'role', p_role, 'tables', jsonb_build_array('data_bars', 'derived_data_bars'));
end;
$$;

create function public.revoke_read_access(p_role text)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s'
as $$
declare
  v_table record;
begin
  for v_table in select t.* from agg.readable_table(p_role) as t where t.is_open loop
    execute format('drop policy %I on public.%I', v_table.policy_name, v_table.table_name);
    execute format('revoke select on table public.%I from %I', v_table.table_name, p_role);
  end loop;
  return jsonb_build_object('success', true, 'role', p_role, 'tables', jsonb_build_array('data_bars', 'derived_data_bars'));
end;
$$;

revoke execute on function agg.read_policy_name(text) from public, anon, authenticated, service_role;
revoke execute on function agg.readable_table(text) from public, anon, authenticated, service_role;
revoke execute on function public.grant_read_access(text) from public, anon, authenticated, service_role;
revoke execute on function public.revoke_read_access(text) from public, anon, authenticated, service_role;

comment on function agg.read_policy_name(text) is 'The policy that opens bars to a role.';
comment on function agg.readable_table(text) is
  'The tables that read access opens, with the policy that opens each to the role and whether it is there. Raises undefined_object for a role that does not exist, invalid_parameter_value for one that policies do not bind: the owner of the tables, a superuser, one with bypassrls such as service_role.';
comment on function public.grant_read_access(text) is
  'Opens bars read-only to a role (authenticated, anon or one of your own), over the Data API and directly: select on data_bars and on the bars of derived_data_bars that are not deleted; nothing else. For the owner of the tables. May be repeated, and then does nothing. Raises undefined_object for an unknown role, invalid_parameter_value for one that reads everything anyway, lock_not_available where a reader is at work for more than five seconds.';
comment on function public.revoke_read_access(text) is
  'Takes back what grant_read_access opened to a role: its policies, and select on their tables; without those it does nothing. For the owner of the tables; may be repeated. Raises like grant_read_access.';
