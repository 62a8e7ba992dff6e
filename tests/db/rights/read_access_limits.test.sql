begin;
select plan(12);

create role pgbars_reader;
create role a_role_with_a_very_long_name_that_goes_on_and_on_and_on_until_1;
create role a_role_with_a_very_long_name_that_goes_on_and_on_and_on_until_2;
call tests.add_minute('ACME', '2025-07-01 00:00+00');

create function pg_temp.seen(p_role text) returns text
language plpgsql as $$
declare
  v_seen text;
begin
  execute format('set local role %I', p_role);
  begin
    execute 'select count(*) from public.data_bars' into v_seen;
  exception when insufficient_privilege then
    v_seen := 'denied';
  end;
  reset role;
  return v_seen;
end;
$$;

select throws_ok(
  format('select public.%I(%L)', f.name, r.name), '22023', r.name || ' reads all bars by itself', format('%s() leaves %s alone', f.name, r.name)
)
from unnest(array['grant_read_access', 'revoke_read_access']) as f (name)
cross join (
  select 'service_role' union all
  select pg_get_userbyid(c.relowner) from pg_catalog.pg_class as c where c.oid = 'public.data_bars'::regclass
) as r (name);
select throws_ok($$ select public.revoke_read_access('nobody_at_all') $$, '42704', 'nobody_at_all is not a role', 'a role must exist');

grant usage on schema public to pgbars_reader;
grant select on public.data_bars to pgbars_reader;
create policy mine on public.data_bars for select to pgbars_reader using (canonical_symbol = 'ACME');
do $$ begin perform public.revoke_read_access('pgbars_reader'); end; $$;
select is(pg_temp.seen('pgbars_reader'), '1', 'revoke_read_access() takes nothing that grant_read_access() has not given');

do $$ begin perform public.grant_read_access('a_role_with_a_very_long_name_that_goes_on_and_on_and_on_until_1'); end; $$;
do $$ begin perform public.grant_read_access('a_role_with_a_very_long_name_that_goes_on_and_on_and_on_until_2'); end; $$;
select is(pg_temp.seen('a_role_with_a_very_long_name_that_goes_on_and_on_and_on_until_1'), '1', 'opening a role leaves another open');
select is(pg_temp.seen('a_role_with_a_very_long_name_that_goes_on_and_on_and_on_until_2'), '1', 'opening a role gives it access');
do $$ begin perform public.revoke_read_access('a_role_with_a_very_long_name_that_goes_on_and_on_and_on_until_1'); end; $$;
select is(pg_temp.seen('a_role_with_a_very_long_name_that_goes_on_and_on_and_on_until_2'), '1', 'closing a role leaves another open');
select is(pg_temp.seen('a_role_with_a_very_long_name_that_goes_on_and_on_and_on_until_1'), 'denied', 'closing a role ends its access');

create temporary table policies as select p.xmin as version, p.oid from pg_catalog.pg_policy as p;
do $$ begin perform public.grant_read_access('a_role_with_a_very_long_name_that_goes_on_and_on_and_on_until_2'); end; $$;
select set_eq('select p.oid from pg_catalog.pg_policy as p', 'select p.oid from policies as p', 'grant_read_access() again does nothing');
do $$ begin perform public.grant_read_access('authenticated'); end; $$;
select isnt_empty(
  'select p.oid from pg_catalog.pg_policy as p except select p.oid from policies as p', 'grant_read_access() for a role that has no access writes policies'
);
select finish();
rollback;
