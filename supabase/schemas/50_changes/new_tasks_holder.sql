comment on function agg.new_tasks_holder is
'Returns the process id of another session whose open transaction has made tasks, for which change notes wait; null where there is none.';

create function agg.new_tasks_holder()
returns integer
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select l.pid
  from pg_catalog.pg_locks as l
  where l.locktype = 'advisory' and l.objsubid = 1 and l.mode = 'ExclusiveLock' and l.granted and l.pid <> pg_backend_pid()
    and l.database = (select d.oid from pg_catalog.pg_database as d where d.datname = current_database())
    and (l.classid::bigint << 32) | l.objid::bigint = agg.new_tasks_key()
  limit 1;
$$;
