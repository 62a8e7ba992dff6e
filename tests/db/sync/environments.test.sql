begin;
select plan(4);

call tests.clear();
insert into public.core_asset_registry_all (canonical_symbol, active, test_active) values
  ('BOTH', true, true), ('LIVE', true, false), ('TRIAL', false, true), ('NEITHER', false, false);

select results_eq(
  $$
    select e.env, string_agg(a.canonical_symbol, ' ' order by a.canonical_symbol)
    from unnest(array['DEV', 'dev', 'Dev', 'TEST', 'test', 'tEsT', 'prod', 'PROD', 'staging', 'development', 'testing', '']) as e (env)
    join agg.active_asset as a on a.is_test = agg.is_test(e.env)
    group by e.env
    order by e.env collate "C"
  $$,
  $$
    values
      ('', 'BOTH LIVE'), ('DEV', 'BOTH TRIAL'), ('Dev', 'BOTH TRIAL'), ('PROD', 'BOTH LIVE'), ('TEST', 'BOTH TRIAL'),
      ('dev', 'BOTH TRIAL'), ('development', 'BOTH LIVE'), ('prod', 'BOTH LIVE'), ('staging', 'BOTH LIVE'), ('tEsT', 'BOTH TRIAL'),
      ('test', 'BOTH TRIAL'), ('testing', 'BOTH LIVE')
  $$,
  'active_asset looks at test_active for DEV and TEST in any case, at active for everything else'
);
create function pg_temp.enabled_after(p_env text) returns text
language plpgsql as $$
begin
  perform public.sync_agg_state_from_registry(p_env);
  return (select string_agg(distinct s.canonical_symbol, ' ') from public.data_agg_state as s where s.enabled);
end;
$$;
select is(pg_temp.enabled_after('prod'), 'BOTH LIVE', 'sync_agg_state_from_registry() follows active in prod');
select is(pg_temp.enabled_after('dev'), 'BOTH TRIAL', 'sync_agg_state_from_registry() follows test_active in dev');
select results_eq(
  'select r.canonical_symbol, r.is_active from public.core_asset_registry_all as r where r.active order by 1',
  $$ values ('BOTH', true), ('LIVE', true) $$,
  'is_active says what active says'
);

select * from finish();
rollback;
