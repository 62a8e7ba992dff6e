comment on function agg.is_test is
'Says whether an environment goes by test_active: DEV and TEST do, in any case.';

create function agg.is_test(p_env text)
returns boolean
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select upper(p_env) in ('DEV', 'TEST');
$$;
