comment on function agg.is_test is
  'Whether an environment looks at test_active: DEV and TEST, in any case.';

create function agg.is_test(p_env text)
returns boolean
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select upper(p_env) in ('DEV', 'TEST');
$$;
