begin;
select plan(15);

call tests.clear();
call tests.add_asset('ACME');
create function pg_temp.triggers() returns bigint
language sql as $$
  select count(*) from pg_catalog.pg_trigger as t where t.tgrelid = 'public.derived_data_bars'::regclass and t.tgname like 'broadcast%'
$$;
create function pg_temp.job() returns text
language sql as $$ select j.command from agg.job_list() as j where j.job_name = 'pgbars:dispatch' $$;
create function pg_temp.may_join(p_role text, p_topic text) returns bigint
language plpgsql as $$
declare
  v_rows bigint;
begin
  perform set_config('realtime.topic', p_topic, true);
  execute format('set local role %I', p_role);
  select count(*) into v_rows from realtime.messages;
  reset role;
  return v_rows;
end;
$$;

select is(
  public.enable_broadcast(array['5m']) - 'missing' - 'message', '{"success": false, "topics": []}', 'without Realtime, enable_broadcast() changes nothing'
);
select is(
  (public.enable_broadcast(array['5m']) #> '{missing,0}') ->> 'what', 'the function realtime.send is missing', 'and says what is missing'
);
select is(pg_temp.triggers(), 0::bigint, 'no statement leaves a note');
select unalike(pg_temp.job(), '%broadcast%', 'and no job sends any');

call tests.add_realtime();
select throws_ok($$ select public.enable_broadcast(array['5m', '7m']) $$, '22023', 'p_timeframes must be timeframes longer than 1m, not 7m', 'an unknown timeframe is refused');
select throws_ok($$ select public.enable_broadcast(array['1m']) $$, '22023', null, 'so are minutes, which their writer knows');
select throws_ok($$ select public.enable_broadcast(null) $$, '22023', null, 'so is null');
select is(
  public.enable_broadcast(array['1h', '5m']) - 'message', '{"success": true, "topics": ["bars:5m", "bars:1h"], "missing": []}', 'enable_broadcast() names the topics'
);
select is(pg_temp.triggers(), 3::bigint, 'statements leave notes');
select alike(pg_temp.job(), '%commit; perform agg.send_broadcasts(); commit;%', 'and the dispatch job sends them, in a transaction of its own');

select public.grant_read_access('authenticated');
insert into realtime.messages (topic, extension) values ('bars:5m', 'broadcast'), ('bars:5m', 'presence');
select is(
  array[pg_temp.may_join('authenticated', 'bars:5m'), pg_temp.may_join('authenticated', 'room'), pg_temp.may_join('anon', 'bars:5m')],
  array[1, 0, 0]::bigint[], 'a role that grant_read_access() was run for may receive, of these topics alone'
);
select public.revoke_read_access('authenticated');
select is(pg_temp.may_join('authenticated', 'bars:5m'), 0::bigint, 'until its access is revoked');

select is(public.enable_broadcast(array['1d']) -> 'topics', '["bars:1d"]', 'other timeframes replace those before');
select is(public.disable_broadcast(), '{"success": true, "removed": ["bars:1d"]}', 'disable_broadcast() ends it');
select is(
  format('%s %s %s', pg_temp.triggers(), (select count(*) from pg_catalog.pg_policies as p where p.schemaname = 'realtime'), public.disable_broadcast()),
  '0 0 {"removed": [], "success": true}', 'and leaves nothing'
);

select * from finish();
rollback;
