begin;
select plan(5);

-- What a call by service_role runs with the rights of service_role: from the functions of public that it may call through
-- all that their text names, views included, up to where a security definer function takes over.
create function pg_temp.needed() returns setof oid
language sql as $$
  with recursive part as (
    select p.oid, format('%s.%s', p.pronamespace::regnamespace, p.proname) as name, p.prosrc as text, p.prosecdef as is_definer,
      p.pronamespace = 'public'::regnamespace and has_function_privilege('service_role', p.oid, 'execute') as is_entry
    from pg_catalog.pg_proc as p
    where p.pronamespace in ('public'::regnamespace, 'agg'::regnamespace)
    union all
    select c.oid, format('%s.%s', c.relnamespace::regnamespace, c.relname), pg_get_viewdef(c.oid), false, false
    from pg_catalog.pg_class as c
    where c.relnamespace in ('public'::regnamespace, 'agg'::regnamespace) and c.relkind = 'v'
  ),
  reached as (
    select e.* from part as e where e.is_entry
    union
    select n.*
    from reached as r
    join part as n on r.text ~ ('\m' || replace(n.name, '.', '\.') || '\M')
    where not r.is_definer
  )
  select r.oid from reached as r;
$$;
create function pg_temp.granted_in_vain() returns setof text
language sql as $$
  select p.oid::regprocedure::text
  from pg_catalog.pg_proc as p
  where p.pronamespace = 'agg'::regnamespace and has_function_privilege('service_role', p.oid, 'execute')
    and p.oid not in (select n.oid from pg_temp.needed() as n (oid))
$$;
create function pg_temp.needed_in_vain() returns setof text
language sql as $$
  select p.oid::regprocedure::text
  from pg_catalog.pg_proc as p
  where p.pronamespace = 'agg'::regnamespace and not has_function_privilege('service_role', p.oid, 'execute')
    and p.oid in (select n.oid from pg_temp.needed() as n (oid))
$$;

select is_empty(
  'select * from pg_temp.granted_in_vain()',
  'service_role may execute no function of agg but those that its calls run with its own rights'
);
select is_empty('select * from pg_temp.needed_in_vain()', 'service_role may execute every function of agg that its calls run with its own rights');

create function agg.bad_step() returns integer language sql as 'select 1';
create function agg.bad_inner_step() returns integer language sql as 'select 1';
create view agg.bad_view as select agg.bad_inner_step() as step;
select ok('agg.bad_step()' in (select f.name from pg_temp.granted_in_vain() as f (name)), 'a function that nobody needs trips the rule');

revoke execute on function agg.bad_step() from public;
revoke execute on function agg.bad_inner_step() from public;
create function public.bad_entry() returns integer language sql as 'select agg.bad_step() + v.step from agg.bad_view as v';
select results_eq(
  $$ select f.name from pg_temp.needed_in_vain() as f (name) order by 1 $$,
  $$ values ('agg.bad_inner_step()'), ('agg.bad_step()') $$,
  'a function that is needed and not granted trips the rule, also behind a view'
);
alter function public.bad_entry() security definer;
select is_empty('select * from pg_temp.needed_in_vain()', 'what a security definer function calls needs no grant');

select * from finish();
rollback;
