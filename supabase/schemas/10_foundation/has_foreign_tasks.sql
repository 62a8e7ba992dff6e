comment on function agg.has_foreign_tasks is
'Whether tasks may be enabled whose assets are not active in p_env: then a claim has to ask the registry. Otherwise a task is enabled as its asset is active.';

create function agg.has_foreign_tasks(p_env text)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce((select e.has_foreign_tasks or agg.is_test(p_env) <> agg.is_test(e.env) from agg.environment as e), true);
end;
$$;
