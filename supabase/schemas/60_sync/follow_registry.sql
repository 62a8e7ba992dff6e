comment on function agg.follow_registry is
  'Makes the tasks of p_symbols (null: of all assets) follow a change of the registry, in the environment of the database.
p_described are the assets whose metadata the change has written. Raises invalid_parameter_value, with assets and keys, where one of them has metadata that are not understood. Metadata that were there before are followed as far as they are understood, with a warning.
Under repeatable read, a circle of baskets that two transactions close together is found by the next sync only.';

create function agg.follow_registry(p_symbols text[], p_described text[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_problems text;
begin
  select left(string_agg(format('%s: %s', p.canonical_symbol, p.problem), '; ' order by p.canonical_symbol, p.problem), 2000)
  into v_problems
  from agg.asset_problems(p_described) as p;
  if v_problems is not null then
    raise exception 'metadata of %', v_problems
      using errcode = 'invalid_parameter_value', hint = 'Nothing of this statement is stored. Correct the metadata it gives and try again.';
  end if;
  if p_symbols is distinct from '{}' then
    perform public.sync_agg_state_from_registry(p_symbols => p_symbols);
  end if;
end;
$$;
