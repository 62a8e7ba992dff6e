comment on function agg.bar_rules is
  'What data_bars asks of a bar, as rows of SQL over a bar b: place in the order of evaluation, whether b breaks it, SQLSTATE, constraint, and the problem in words. Values that must not be null come first, then checks by name. The words are the comment on the constraint, or its expression. Checks that need more columns than agg.input_bar has are left out.';

create function agg.bar_rules()
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with input_column as (
    select d.attnum, d.attname, d.attnotnull
    from pg_catalog.pg_attribute as d
    join pg_catalog.pg_attribute as i on i.attname = d.attname and i.attrelid = (
      select t.typrelid from pg_catalog.pg_type as t where t.oid = 'agg.input_bar'::regtype
    )
    where d.attrelid = 'public.data_bars'::regclass and d.attnum > 0 and not d.attisdropped
  ),
  rule as (
    select 1 as kind, i.attname as name, format('b.%I is null', i.attname) as is_broken, '23502' as code, null as constraint_name,
      format('%s must not be null', i.attname) as problem
    from input_column as i
    where i.attnotnull
    union all
    select 2, c.conname, format('not (%s)', e.expression), '23514', c.conname,
      coalesce(pg_catalog.obj_description(c.oid, 'pg_constraint'), format('%s requires %s', c.conname, e.expression))
    from pg_catalog.pg_constraint as c
    cross join lateral (select pg_catalog.pg_get_expr(c.conbin, c.conrelid)) as e (expression)
    where c.conrelid = 'public.data_bars'::regclass and c.contype = 'c'
      and c.conkey <@ array(select i.attnum from input_column as i)
  )
  select string_agg(
    format(
      '(%s, %s, %L, %L, %L)', row_number, r.is_broken, r.code, r.constraint_name, r.problem
    ), ', ' order by r.row_number
  )
  from (select k.*, row_number() over (order by k.kind, k.name) from rule as k) as r;
$$;
