-- Supabase brings these roles; a plain Postgres or an embedded one does not.
do $$
declare
  v_role text;
begin
  foreach v_role in array array['anon', 'authenticated', 'service_role'] loop
    if not exists (select from pg_catalog.pg_roles r where r.rolname = v_role) then
      execute pg_catalog.format(
        'create role %I nologin noinherit%s', v_role, case v_role when 'service_role' then ' bypassrls' else '' end
      );
    end if;
  end loop;
end;
$$;

grant usage on schema public to anon, authenticated, service_role;
