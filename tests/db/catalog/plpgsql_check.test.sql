begin;
select plan(3);

-- plpgsql_check evaluates constant calls, and reads freed memory of a function that ran earlier in the session: compile all anew.
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_language as l on l.oid = p.prolang and l.lanname = 'plpgsql'
    where p.pronamespace in ('public'::regnamespace, 'agg'::regnamespace)
  loop
    execute pg_get_functiondef(v_function);
  end loop;
end;
$$;
-- Debian's Postgres 15 must have the extension; the embedded Postgres and that of npm have none.
create temporary table machine as
select current_setting('server_version_num')::integer / 10000 <> 15 as is_without;
do $$
begin
  if not (select m.is_without from machine as m) then
    create extension if not exists plpgsql_check with schema extensions;
  end if;
end;
$$;

-- A trigger function is checked on its table; these have a trigger only where install_webhooks or enable_broadcast made one.
create trigger send_webhook_update after update on public.core_asset_registry_all
  referencing new table as new_rows old table as old_rows
  for each statement execute function agg.send_webhook('pgbars_registry_sync_url', 'pgbars_registry_sync_key');
create trigger broadcast_update after update on public.derived_data_bars
  referencing new table as new_rows old table as old_rows
  for each statement execute function agg.add_broadcast_notes();

create function pg_temp.findings() returns setof text
language plpgsql as $$
begin
  return query execute $sql$
    select p.oid::regprocedure || ': ' || c.finding
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_language as l on l.oid = p.prolang and l.lanname = 'plpgsql'
    left join pg_catalog.pg_trigger as t on t.tgfoid = p.oid and not t.tgisinternal
    cross join lateral extensions.plpgsql_check_function(
      p.oid, coalesce(t.tgrelid, 0), newtable => t.tgnewtable, oldtable => t.tgoldtable,
      extra_warnings => true, security_warnings => true
    ) as c (finding)
    where p.pronamespace in ('public'::regnamespace, 'agg'::regnamespace)
  $sql$;
end;
$$;

select case when m.is_without then skip('this Postgres has no plpgsql_check', 1)
  else is_empty('select * from pg_temp.findings()', 'plpgsql_check finds nothing in public and agg') end
from machine as m;

create function public.bad_example() returns integer
language plpgsql stable set search_path = '' as $$
declare
  v_unused integer;
begin
  return (select t.no_such_column from agg.timeframe as t);
end;
$$;
select case when m.is_without then skip('this Postgres has no plpgsql_check', 1)
  else is(
    (select count(*) > 0 from pg_temp.findings() as f (finding) where f.finding ~ '^bad_example\(\): error.*no_such_column'), true,
    'a column that does not exist trips plpgsql_check'
  ) end
from machine as m;
select case when m.is_without then skip('this Postgres has no plpgsql_check', 1)
  else cmp_ok(
    (
      select count(*)
      from pg_catalog.pg_proc as p
      join pg_catalog.pg_language as l on l.oid = p.prolang and l.lanname = 'plpgsql'
      where p.pronamespace in ('public'::regnamespace, 'agg'::regnamespace)
    ),
    '>=', 15::bigint, 'plpgsql_check sees the functions of public and agg'
  ) end
from machine as m;

select * from finish();
rollback;
