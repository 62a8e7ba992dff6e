comment on function agg.give_back_commands is
  'The statements that bring what was set aside back to public, in their order: tables, functions, then the views, foreign keys and publications that read the new tables since the move.';

create function agg.give_back_commands()
returns setof text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select format('alter %s %s set schema public', case c.relkind
    when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table'
  end, c.oid::regclass)
  from pg_catalog.pg_class as c
  where c.relnamespace = to_regnamespace('pgbars_before') and c.relkind in ('r', 'p', 'v', 'm', 'f');
  return query
  select format('alter routine %s set schema public', p.oid::regprocedure)
  from pg_catalog.pg_proc as p
  where p.pronamespace = to_regnamespace('pgbars_before');
  return query
  select c.command
  from agg.moved_object as o
  cross join lateral (values
    (1, case when o.kind = 'foreign key' then format('alter table %s drop constraint if exists %s', o.parent, o.name) end),
    (2, o.definition)
  ) as c (position, command)
  where o.is_taken_over and o.definition is not null and c.command is not null
  order by o.moved_object_id, c.position;
end;
$$;
