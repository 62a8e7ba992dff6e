begin;
select plan(15);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:10+00');
call tests.run('2025-07-01 01:00+00');
delete from public.data_bars as b where b.ts_utc >= '2025-07-01 00:05+00';
call tests.run('2025-07-01 01:00+00');

-- What a role sees of the two tables; 'denied' where it may not look.
create function pg_temp.seen(p_role text) returns text
language plpgsql as $$
declare
  v_seen text;
begin
  execute format('set local role %I', p_role);
  begin
    execute 'select format(''%s of %s'', count(*), (select count(*) from public.data_bars)) from public.derived_data_bars' into v_seen;
  exception when insufficient_privilege then
    v_seen := 'denied';
  end;
  reset role;
  return v_seen;
end;
$$;
create function pg_temp.try_as(p_role text, p_sql text) returns text
language plpgsql as $$
begin
  execute format('set local role %I', p_role);
  begin
    execute p_sql;
  exception when insufficient_privilege then
    reset role;
    return 'denied';
  end;
  reset role;
  return 'done';
end;
$$;

select is(pg_temp.seen('authenticated'), 'denied', 'authenticated sees no bar by default');
select is(pg_temp.seen('anon'), 'denied', 'anon sees no bar by default');

select is(
  public.grant_read_access('authenticated'),
  '{
    "success": true, "role": "authenticated", "tables": ["data_bars", "derived_data_bars", "derived_data_bars_revision"],
    "functions": ["get_bars", "agg_changes", "agg_bar_versions"]
  }',
  'grant_read_access() says what it opened'
);
select is(pg_temp.seen('authenticated'), '1 of 5', 'grant_read_access() opens bars, but for the deleted ones');
select is(pg_temp.seen('anon'), 'denied', 'grant_read_access() opens them to no other role');
select is(public.grant_read_access('authenticated') -> 'success', 'true', 'grant_read_access() may be repeated');
select is(
  array[
    pg_temp.try_as('authenticated', 'insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values (''A'', ''2025-07-01 00:00+00'', 1, 1, 1, 1)'),
    pg_temp.try_as('authenticated', 'update public.data_bars set close = 1'),
    pg_temp.try_as('authenticated', 'delete from public.derived_data_bars')
  ],
  array['denied', 'denied', 'denied'], 'grant_read_access() opens nothing to write'
);
select is(
  array[
    pg_temp.try_as('authenticated', 'select * from public.core_asset_registry_all'),
    pg_temp.try_as('authenticated', 'select * from public.data_agg_state'),
    pg_temp.try_as('authenticated', 'select * from agg.run_log'),
    pg_temp.try_as('authenticated', 'select public.agg_run_due()')
  ],
  array['denied', 'denied', 'denied', 'denied'], 'grant_read_access() opens no other table and no other function'
);
select is(
  array[
    pg_temp.try_as('service_role', 'select public.grant_read_access(''anon'')'),
    pg_temp.try_as('authenticated', 'select public.grant_read_access(''anon'')'),
    pg_temp.try_as('service_role', 'select public.revoke_read_access(''authenticated'')')
  ],
  array['denied', 'denied', 'denied'], 'only the owner opens or closes bars'
);

select is(public.revoke_read_access('authenticated') -> 'success', 'true', 'revoke_read_access() takes it back');
select is(pg_temp.seen('authenticated'), 'denied', 'revoke_read_access() closes the bars again');
select is_empty(
  $$ select p.policyname from pg_catalog.pg_policies as p where p.policyname like 'pgbars_read_%' $$,
  'revoke_read_access() leaves no policy behind'
);
select is(public.revoke_read_access('authenticated') -> 'success', 'true', 'revoke_read_access() may be repeated');

select throws_ok(
  $$ select public.grant_read_access('nobody; drop table x') $$, '42704', 'nobody; drop table x is not a role',
  'grant_read_access() names a role that does not exist'
);
select throws_ok($$ select public.grant_read_access(null) $$, '42704', 'null is not a role', 'grant_read_access() wants a role');

select * from finish();
rollback;
