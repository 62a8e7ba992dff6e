begin;
select plan(4);

create function pg_temp.open_steps() returns setof text
language sql as $$
  select p.oid::regprocedure::text
  from pg_catalog.pg_proc as p
  where p.pronamespace = 'agg'::regnamespace and has_function_privilege('service_role', p.oid, 'execute')
    -- What get_bars asks with the rights of its caller.
    and p.proname not in ('filled_bars', 'open_windows', 'revision_age')
$$;
create function pg_temp.invokers() returns setof text
language sql as $$
  select p.oid::regprocedure::text
  from pg_catalog.pg_proc as p
  where p.pronamespace = 'public'::regnamespace and has_function_privilege('service_role', p.oid, 'execute') and not p.prosecdef
    -- What the caller may read, its policies say.
    and p.proname not in ('get_bars', 'agg_changes', 'agg_bar_versions')
$$;

select is_empty('select * from pg_temp.open_steps()', 'service_role may not call a function of agg, but for what get_bars asks');
select is_empty('select * from pg_temp.invokers()', 'every function that service_role may call runs with the rights of the owner, but for those that read bars');

create function agg.bad_step() returns integer language sql as 'select 1';
select results_eq('select * from pg_temp.open_steps()', array['agg.bad_step()'], 'a step that service_role may call trips the rule');
create function public.bad_entry() returns integer language sql as 'select 1';
select results_eq('select * from pg_temp.invokers()', array['bad_entry()'], 'a call with the rights of the caller trips the rule');

select * from finish();
rollback;
