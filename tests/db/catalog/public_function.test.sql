begin;
select plan(1);

select set_eq(
  'select f.name from agg.public_function as f',
  $$
    select p.proname::text
    from pg_catalog.pg_proc as p
    where p.pronamespace = 'public'::regnamespace
      and not exists (select from pg_catalog.pg_depend as d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
  $$,
  'agg.public_function lists the functions of public'
);

select * from finish();
rollback;
