comment on function agg.set_environment is
  'Makes this the environment of the database, and all tasks follow. Changes of the registry wait for it, to the end of the transaction. Raises invalid_parameter_value for a text that is not a name.';

create function agg.set_environment(p_env text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_env !~ '^[A-Za-z][A-Za-z0-9_-]{0,31}$' then
    raise exception '% is not the name of an environment: a letter, then up to 31 letters, digits, _ or -', quote_literal(left(p_env, 100))
      using errcode = 'invalid_parameter_value';
  end if;
  if p_env = agg.current_env(null) then
    return;
  end if;
  perform agg.lock_registry();
  insert into agg.environment (env) values (p_env) on conflict (is_only) do update set env = excluded.env;
  perform public.sync_agg_state_from_registry();
end;
$$;
