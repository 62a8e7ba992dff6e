comment on function agg.new_tasks_key is
  'The advisory lock that a transaction holds which has made tasks, and, shared, one that has read change notes.';

create function agg.new_tasks_key()
returns bigint
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select hashtextextended('pgbars.new_tasks', 0);
$$;
