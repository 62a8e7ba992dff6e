comment on function agg.current_env is
'Returns p_env, or the environment of the database where p_env is null.';

create function agg.current_env(p_env text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(p_env, (select e.env from agg.environment as e), 'prod');
end;
$$;
