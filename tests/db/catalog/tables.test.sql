begin;
select plan(12);

create function pg_temp.relations(p_kinds text) returns setof pg_catalog.pg_class
language sql as $$
  select c.*
  from pg_catalog.pg_class as c
  where c.relnamespace in ('public'::regnamespace, 'agg'::regnamespace) and p_kinds ~ c.relkind::text
    and not exists (select from pg_catalog.pg_depend as d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
$$;
create function pg_temp.without_row_security() returns setof text
language sql as $$ select c.oid::regclass::text from pg_temp.relations('rp') as c where not c.relrowsecurity $$;
create function pg_temp.with_open_grants() returns setof text
language sql as $$
  select c.oid::regclass || ' to ' || r.name
  from pg_temp.relations('rpvm') as c
  cross join unnest(array['public', 'anon', 'authenticated']) as r (name)
  where has_table_privilege(r.name, c.oid, 'select, insert, update, delete, truncate, references, trigger')
    or has_any_column_privilege(r.name, c.oid, 'select, insert, update, references')
$$;
create function pg_temp.without_comment() returns setof text
language sql as $$
  select c.oid::regclass::text from pg_temp.relations('rpvmc') as c where coalesce(obj_description(c.oid, 'pg_class'), '') = ''
    and c.relkind <> 'c'
  union all
  select t.oid::regtype::text
  from pg_temp.relations('c') as c
  join pg_catalog.pg_type as t on t.typrelid = c.oid
  where coalesce(obj_description(t.oid, 'pg_type'), '') = ''
$$;
create function pg_temp.with_owner_rights() returns setof text
language sql as $$
  select c.oid::regclass::text
  from pg_temp.relations('v') as c
  where not coalesce(c.reloptions, '{}') && array['security_invoker=true', 'security_invoker=on']
    -- It asks a view that does.
    and c.oid <> 'agg.readable_series'::regclass
$$;

select cmp_ok((select count(*) from pg_temp.relations('rvc')), '>=', 12::bigint, 'the rules see the tables, views and types of public and agg');
select is_empty('select * from pg_temp.without_row_security()', 'every table has row level security');
select is_empty('select * from pg_temp.with_open_grants()', 'no table or view is open to public, anon or authenticated');
select is_empty('select * from pg_temp.without_comment()', 'every table, view and type has a comment');
select is_empty('select * from pg_temp.with_owner_rights()', 'every view reads with the rights of its reader');
select is_empty(
  $$
    select n.nspname
    from pg_catalog.pg_namespace as n
    where n.nspname = 'agg' and has_schema_privilege('public', n.oid, 'usage, create')
  $$,
  'the schema agg is closed to public'
);

create table public.bad_table (id integer);
create view agg.bad_view as select b.id from public.bad_table as b;
create type agg.bad_type as (id integer);
grant select (id) on table public.bad_table to anon;
grant insert on table agg.bad_view to public;
select ok('bad_table' in (select f.name from pg_temp.without_row_security() as f (name)), 'a table without row level security trips the rule');
select results_eq(
  $$ select f.name from pg_temp.with_open_grants() as f (name) order by 1 $$,
  $$ values ('agg.bad_view to anon'), ('agg.bad_view to authenticated'), ('agg.bad_view to public'), ('bad_table to anon') $$,
  'grants trip the rule, also through public and on columns'
);
select results_eq(
  $$ select f.name from pg_temp.without_comment() as f (name) order by 1 $$,
  $$ values ('agg.bad_type'), ('agg.bad_view'), ('bad_table') $$,
  'missing comments trip the rule'
);
select ok('agg.bad_view' in (select f.name from pg_temp.with_owner_rights() as f (name)), 'a view with the rights of its owner trips the rule');

create function pg_temp.foreign_keys_without_index() returns setof text
language sql as $$
  select k.conname::text
  from pg_catalog.pg_constraint as k
  where k.contype = 'f' and k.connamespace in ('public'::regnamespace, 'agg'::regnamespace)
    and not exists (
      select
      from pg_catalog.pg_index as i
      where i.indrelid = k.conrelid and i.indpred is null and (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] = k.conkey
    )
$$;
select is_empty('select * from pg_temp.foreign_keys_without_index()', 'every foreign key has an index');
alter table public.bad_table add column timeframe text constraint bad_table_fkey references agg.timeframe (timeframe);
select ok('bad_table_fkey' in (select f.name from pg_temp.foreign_keys_without_index() as f (name)), 'a foreign key without an index trips the rule');

select * from finish();
rollback;
