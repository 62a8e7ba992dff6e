comment on function agg.version is 'The version of pgbars that this schema is of, as in deno.json.';

create function agg.version()
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select '0.2.0';
$$;
