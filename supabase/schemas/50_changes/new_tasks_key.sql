comment on function agg.new_tasks_key is
'Returns the key of an advisory lock: a transaction that has made tasks holds it, one that has read change notes holds it shared.';

create function agg.new_tasks_key()
returns bigint
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select hashtextextended('pgbars.new_tasks', 0);
$$;
