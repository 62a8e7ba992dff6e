comment on function agg.bar_rules is
  'The checks of data_bars, and the columns that it needs a value in, as rows of SQL: whether a bar breaks it, SQLSTATE, constraint, and the problem in words.';

create function agg.bar_rules()
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(r.rule, ', ' order by r.is_check, r.name)
  from (
    select false as is_check, a.attname as name, format('(%1$I is null, ''23502'', null, ''%1$s must not be null'')', a.attname) as rule
    from pg_catalog.pg_attribute as a
    join pg_catalog.pg_attribute as g on g.attname = a.attname and g.attrelid = (
      select t.typrelid from pg_catalog.pg_type as t where t.oid = 'agg.input_bar'::regtype
    )
    where a.attrelid = 'public.data_bars'::regclass and a.attnotnull
    union all
    select
      true, c.conname,
      format('(not (%s), ''23514'', %L, %L)', e.expression, c.conname, format('%s requires %s', c.conname, e.expression))
    from pg_catalog.pg_constraint as c
    cross join lateral (select pg_catalog.pg_get_expr(c.conbin, c.conrelid)) as e (expression)
    where c.conrelid = 'public.data_bars'::regclass and c.contype = 'c'
  ) as r;
$$;
