comment on function agg.current_env is 'p_env, or the environment of the database where it is null.';

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
