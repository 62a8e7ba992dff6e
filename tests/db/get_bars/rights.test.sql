begin;
select plan(15);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_asset('HIDDEN');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:20+00', p_without => array[timestamptz '2025-07-01 00:05+00', '2025-07-01 00:06+00', '2025-07-01 00:07+00']);
call tests.add_minutes('HIDDEN', '2025-07-01 00:00+00', '2025-07-01 00:20+00');
call tests.run('2025-07-01 00:21+00');
update public.derived_data_bars as d set updated_at = now() - interval '1 day';
update public.derived_data_bars as d set close = 1.5, high = 2 where d.ts_utc = '2025-07-01 00:00+00' and d.timeframe = '5m';

-- What a query gives a role, or the code of the error.
create function pg_temp.as_role(p_role text, p_sql text) returns text
language plpgsql as $$
declare
  v_result text;
begin
  execute format('set local role %I', p_role);
  begin
    execute p_sql into v_result;
  exception when insufficient_privilege then
    v_result := 'denied';
  end;
  reset role;
  return v_result;
end;
$$;
create function pg_temp.rows(p_role text, p_arguments text) returns text
language sql as $$
  select pg_temp.as_role(p_role, format(
    'select string_agg(b.canonical_symbol || to_char(b.ts_utc at time zone ''UTC'', '' HH24:MI'') || case when b.is_filled then ''f'' when b.is_forming then ''p'' else '''' end, '', '')
     from public.get_bars(array[''ACME'', ''HIDDEN''], %s) as b', p_arguments
  ))
$$;
create function pg_temp.changes(p_role text) returns text
language sql as $$
  select pg_temp.as_role(p_role, 'select string_agg(c.canonical_symbol, '', '' order by 1) from public.agg_changes(now() - interval ''1 hour'') as c')
$$;

select is(pg_temp.rows('authenticated', '''5m'''), 'denied', 'authenticated may not call get_bars() by default');
select is(pg_temp.changes('authenticated'), 'denied', 'nor agg_changes()');
select is(
  pg_temp.rows('service_role', '''5m'', p_limit => 2, p_fill => true, p_forming => true'), 'ACME 00:10, ACME 00:15p, HIDDEN 00:10, HIDDEN 00:15p',
  'service_role may, with every option'
);
select is(pg_temp.rows('service_role', '''5m'', p_limit => 1, p_as_of => now() - interval ''1 minute'''), 'ACME 00:10, HIDDEN 00:10', 'at an earlier time too');
select is(pg_temp.changes('service_role'), 'ACME, HIDDEN', 'and reads what changed');

do $$ begin perform public.grant_read_access('authenticated'); end; $$;
select is(
  pg_temp.rows('authenticated', '''5m'', p_limit => 3, p_fill => true, p_forming => true'),
  'ACME 00:05f, ACME 00:10, ACME 00:15p, HIDDEN 00:05, HIDDEN 00:10, HIDDEN 00:15p', 'grant_read_access() lets a role read bars, with every option'
);
select is(pg_temp.rows('authenticated', '''5m'', p_limit => 1, p_as_of => now() - interval ''1 minute'''), 'ACME 00:10, HIDDEN 00:10', 'at an earlier time too');
select is(pg_temp.changes('authenticated'), 'ACME, HIDDEN', 'and lets it read what changed');
select is(pg_temp.rows('anon', '''5m'''), 'denied', 'it opens them to no other role');

-- Policies of one's own in place of those.
do $$
declare
  v_table text;
begin
  foreach v_table in array array['data_bars', 'derived_data_bars', 'derived_data_bars_revision'] loop
    execute format('drop policy pgbars_read_authenticated on public.%I', v_table);
    execute format('create policy acme on public.%I for select to authenticated using (canonical_symbol = ''ACME'')', v_table);
  end loop;
end;
$$;
select is(pg_temp.rows('authenticated', '''5m'', p_limit => 2, p_fill => true, p_forming => true'), 'ACME 00:10, ACME 00:15p', 'policies say whose bars a role may read');
select is(pg_temp.changes('authenticated'), 'ACME', 'and whose changes');
select is(
  pg_temp.as_role('authenticated', 'select string_agg(distinct r.canonical_symbol, '', '') from agg.readable_series as r'), 'ACME',
  'and whose sessions'
);
select is(
  array[
    pg_temp.as_role('authenticated', 'select r.canonical_symbol from public.core_asset_registry_all as r'),
    pg_temp.as_role('authenticated', 'select s.canonical_symbol from public.data_agg_state as s'),
    pg_temp.as_role('authenticated', 'select c.name from agg.calendar as c'),
    pg_temp.as_role('authenticated', 'select t.canonical_symbol from agg.task as t'),
    pg_temp.as_role('authenticated', 'select agg.version()'),
    pg_temp.as_role('authenticated', 'delete from public.derived_data_bars_revision')
  ],
  array['denied', 'denied', 'denied', 'denied', 'denied', 'denied'], 'it may read and call nothing else'
);

drop policy acme on public.data_bars;
do $$ begin perform public.grant_read_access('authenticated'); end; $$;
do $$ begin perform public.revoke_read_access('authenticated'); end; $$;
select is(pg_temp.rows('authenticated', '''5m'''), 'denied', 'revoke_read_access() takes the call back');
select is(
  array[has_schema_privilege('authenticated', 'agg', 'usage'), has_table_privilege('authenticated', 'agg.readable_series', 'select')],
  array[false, false], 'and what it needs of agg'
);

select * from finish();
rollback;
