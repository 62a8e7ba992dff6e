comment on function agg.used_from_outside is
  'Describes the objects outside of a schema that depend on what is in it, and on p_relations elsewhere: views, foreign keys, functions and so on. Functions that only name the schema in their text are listed for pgbars_before. No row for a schema that does not exist.';

create function agg.used_from_outside(p_schema text, p_relations regclass[] default '{}')
returns setof text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with inside as materialized (
    select 'pg_class'::regclass as class, c.oid, c.reltype
    from pg_class as c
    where c.relnamespace = to_regnamespace(p_schema) or c.oid = any (p_relations::oid[])
    union all
    select 'pg_proc'::regclass, p.oid, null from pg_proc as p where p.pronamespace = to_regnamespace(p_schema)
    union all
    select 'pg_type'::regclass, t.oid, null from pg_type as t where t.typnamespace = to_regnamespace(p_schema)
    union all
    select 'pg_type'::regclass, c.reltype, null from pg_class as c where c.oid = any (p_relations::oid[])
  ),
  dependent as (
    -- Of a rule the view that it makes, of a default its table; of a constraint, policy or trigger itself.
    select distinct o.class, o.oid, case when s.is_shown then d.classid else o.class end as shown_class,
      case when s.is_shown then d.objid else o.oid end as shown_oid
    from pg_depend as d
    join inside as i on i.class = d.refclassid and i.oid = d.refobjid
    left join pg_rewrite as w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
    left join pg_constraint as k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
    left join pg_trigger as t on d.classid = 'pg_trigger'::regclass and t.oid = d.objid
    left join pg_policy as p on d.classid = 'pg_policy'::regclass and p.oid = d.objid
    left join pg_attrdef as a on d.classid = 'pg_attrdef'::regclass and a.oid = d.objid
    left join pg_index as x on d.classid = 'pg_class'::regclass and x.indexrelid = d.objid
    left join pg_type as y on d.classid = 'pg_type'::regclass and y.oid = d.objid
    cross join lateral (
      select coalesce(w.ev_class, nullif(k.conrelid, 0), t.tgrelid, p.polrelid, a.adrelid, x.indrelid, nullif(y.typrelid, 0)) as relation
    ) as r
    cross join lateral (
      select d.classid in ('pg_constraint'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass) as is_shown
    ) as s
    cross join lateral (
      select
        case when r.relation is null then d.classid else 'pg_class'::regclass end as class, coalesce(r.relation, d.objid) as oid
    ) as o
    where d.deptype in ('n', 'a', 'i') and d.classid <> 'pg_publication_rel'::regclass
  )
  select pg_describe_object(d.shown_class, d.shown_oid, 0)
  from dependent as d
  where not exists (select from inside as i where i.class = d.class and i.oid = d.oid)
    and not exists (
      select
      from inside as i
      join pg_type as t on t.typelem = i.oid or t.typelem = i.reltype
      where d.class = 'pg_type'::regclass and d.oid = t.oid
    )
    and not exists (select from pg_class as c where d.class = 'pg_class'::regclass and c.oid = d.oid and c.relkind = 't')
  union
  select format('%s, in its text', pg_describe_object('pg_proc'::regclass, p.oid, 0))
  from pg_proc as p
  where p_schema = 'pgbars_before' and to_regnamespace(p_schema) is not null and p.prosrc ~ '\mpgbars_before\M'
    and p.pronamespace not in ('agg'::regnamespace, to_regnamespace(p_schema))
    and not exists (select from agg.public_function as f where f.function_id = p.oid)
  order by 1;
$$;
