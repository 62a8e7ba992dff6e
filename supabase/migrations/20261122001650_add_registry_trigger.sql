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
      using errcode = 'invalid_parameter_value', hint = 'Nothing of this statement is stored. Mend the metadata it gives and try again.';
  end if;
  if p_symbols is distinct from '{}' then
    perform public.sync_agg_state_from_registry(p_symbols => p_symbols);
  end if;
end;
$$;

create function agg.lock_registry_first()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform agg.lock_registry();
  return null;
end;
$$;

create function agg.follow_changed_assets()
returns trigger
language plpgsql
volatile
-- Whoever may write the registry need not be allowed to write tasks.
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_symbols constant text[] := array(select c.canonical_symbol from changed_assets as c);
begin
  perform agg.follow_registry(v_symbols, v_symbols);
  return null;
end;
$$;

create function agg.follow_updated_assets()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform agg.follow_registry(
    coalesce(array_agg(coalesce(n.canonical_symbol, o.canonical_symbol)), '{}'),
    coalesce(array_agg(n.canonical_symbol) filter (where n.metadata is distinct from o.metadata), '{}')
  )
  from changed_assets as n
  full join former_assets as o on o.canonical_symbol = n.canonical_symbol
  where (n.active, n.test_active, n.metadata) is distinct from (o.active, o.test_active, o.metadata);
  return null;
end;
$$;

create function agg.follow_truncated_registry()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform agg.follow_registry(null, '{}');
  return null;
end;
$$;

revoke execute on function agg.follow_registry(text[], text[]) from public, anon, authenticated, service_role;
revoke execute on function agg.lock_registry_first() from public, anon, authenticated, service_role;
revoke execute on function agg.follow_changed_assets() from public, anon, authenticated, service_role;
revoke execute on function agg.follow_updated_assets() from public, anon, authenticated, service_role;
revoke execute on function agg.follow_truncated_registry() from public, anon, authenticated, service_role;

comment on function agg.follow_registry(text[], text[]) is
  'Lets the tasks of p_symbols (null: of all assets) follow a change of the registry, in the environment of the database. Raises invalid_parameter_value where the metadata of one of p_described, the assets that the change gave their metadata, would be refused by a sync, naming assets and keys. Assets whose metadata was bad before are left out with a warning. Under repeatable read a circle of baskets that two transactions close together is not seen here, but by the next sync.';
comment on function agg.lock_registry_first() is
  'lock_registry before the rows of a statement that may change tasks: changes of the registry wait for each other, and for a sync, without a deadlock.';
comment on function agg.follow_changed_assets() is 'follow_registry for assets that were inserted or deleted, in the transaction of the change.';
comment on function agg.follow_updated_assets() is
  'follow_registry for assets that were updated, in the transaction of the change; for those only whose symbol, flags or metadata are other than before.';
comment on function agg.follow_truncated_registry() is 'follow_registry for a registry that was emptied, in the transaction of the change.';
