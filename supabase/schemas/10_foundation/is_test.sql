comment on function agg.is_test is
'Says whether an environment goes by test_active: DEV and TEST do, in any case.';

-- As agg.is_paused.
create function agg.is_test(p_env text)
returns boolean
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return upper(p_env) in ('DEV', 'TEST');
end;
$$;
