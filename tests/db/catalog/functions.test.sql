begin;
select plan(10);

create function pg_temp.routines() returns setof pg_catalog.pg_proc
language sql as $$
  select p.*
  from pg_catalog.pg_proc as p
  where p.pronamespace in ('public'::regnamespace, 'agg'::regnamespace)
    and not exists (select from pg_catalog.pg_depend as d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
$$;
create function pg_temp.with_loose_search_path() returns setof text
language sql as $$
  select p.oid::regprocedure::text from pg_temp.routines() as p where not coalesce(p.proconfig, '{}') @> array['search_path=pg_catalog, pg_temp']
$$;
create function pg_temp.with_open_execute() returns setof text
language sql as $$
  select p.oid::regprocedure || ' by ' || r.name
  from pg_temp.routines() as p
  cross join unnest(array['public', 'anon', 'authenticated']) as r (name)
  where has_function_privilege(r.name, p.oid, 'execute')
$$;
create function pg_temp.without_comment() returns setof text
language sql as $$
  select p.oid::regprocedure::text from pg_temp.routines() as p where coalesce(obj_description(p.oid, 'pg_proc'), '') = ''
$$;
-- A function that reads tables and does not say how volatile it is gets the default, volatile; one that only computes or
-- reads must say so. What writes, locks, schedules, posts or changes rights is volatile.
create function pg_temp.with_wrong_volatility() returns setof text
language sql as $$
  select p.oid::regprocedure::text
  from pg_temp.routines() as p
  where p.prokind = 'f' and p.provolatile = 'v'
    and p.prosrc !~* '\m(insert into|update|delete from|for update|pg_try_advisory|pg_advisory_xact_lock|set_config|create policy|cron\.schedule|cron\.unschedule|net\.http_post|drop policy|drop trigger|grant execute|revoke execute)\M'
    and not exists (
      select
      from pg_temp.routines() as q
      where q.oid <> p.oid and q.provolatile = 'v' and p.prosrc ~ (q.pronamespace::regnamespace || '\.' || q.proname || '\(')
    )
$$;

select cmp_ok((select count(*) from pg_temp.routines()), '>=', 30::bigint, 'the rules see the functions of public and agg');
select is_empty('select * from pg_temp.with_loose_search_path()', 'every function looks up names in pg_catalog first and temporary objects last');
select is_empty('select * from pg_temp.with_open_execute()', 'no function is open to public, anon or authenticated');
select is_empty('select * from pg_temp.without_comment()', 'every function has a comment');
select is_empty('select * from pg_temp.with_wrong_volatility()', 'every volatile function writes, locks or schedules, or calls one that does');
select is_empty(
  $$
    select p.oid::regprocedure::text
    from pg_temp.routines() as p
    where p.prosecdef
      and case
        -- A trigger function cannot be called, and firing one needs no privilege.
        when p.prorettype = 'trigger'::regtype then has_function_privilege('service_role', p.oid, 'execute')
        else not has_function_privilege('service_role', p.oid, 'execute')
      end
  $$,
  'every security definer function is one that service_role may call, or a trigger function'
);

create function public.bad_example() returns integer language sql as 'select 1';
grant execute on function public.bad_example() to anon;
select ok('bad_example()' in (select f.name from pg_temp.with_loose_search_path() as f (name)), 'a loose search_path trips the rule');
select results_eq(
  $$ select f.name from pg_temp.with_open_execute() as f (name) where f.name ~ '^bad_example' order by 1 $$,
  $$ values ('bad_example() by anon'), ('bad_example() by authenticated'), ('bad_example() by public') $$,
  'a function that public may execute trips the rule, for every role'
);
select ok('bad_example()' in (select f.name from pg_temp.without_comment() as f (name)), 'a missing comment trips the rule');
select ok('bad_example()' in (select f.name from pg_temp.with_wrong_volatility() as f (name)), 'an unstated volatility trips the rule');

select * from finish();
rollback;
