comment on function agg.readable_table is
  'The tables of bars, with the policy that lets the role read each, and whether that policy exists. Raises undefined_object for a role that does not exist, invalid_parameter_value for one that policies do not bind: the owner of the tables, a superuser, a role with bypassrls such as service_role.';

create function agg.readable_table(p_role text)
returns table (table_name text, policy_name text, is_open boolean)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from pg_catalog.pg_roles as r where r.rolname = p_role) then
    raise exception '% is not a role', coalesce(p_role, 'null')
      using errcode = 'undefined_object', hint = 'On Supabase: authenticated (signed in), or anon (not signed in).';
  end if;
  if (select r.rolsuper or r.rolbypassrls from pg_catalog.pg_roles as r where r.rolname = p_role)
    or exists (
      select from pg_catalog.pg_class as c where c.oid = 'public.data_bars'::regclass and pg_get_userbyid(c.relowner) = p_role
    )
  then
    raise exception '% reads all bars by itself', p_role
      using errcode = 'invalid_parameter_value', hint = 'On Supabase: authenticated (signed in), or anon (not signed in).';
  end if;
  return query
  select
    t.name, n.policy_name,
    exists (
      select from pg_catalog.pg_policies as p where p.schemaname = 'public' and p.tablename = t.name and p.policyname = n.policy_name
    )
  from (values ('data_bars'), ('derived_data_bars'), ('derived_data_bars_revision')) as t (name)
  cross join (select agg.read_policy_name(p_role)) as n (policy_name);
end;
$$;
