begin;
select plan(7);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_asset('BOND');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 06:00+00');
call tests.add_minutes('BOND', '2025-07-01 00:00+00', '2025-07-01 06:00+00');
call tests.run('2025-07-01 07:00+00');

-- What waits to be built again is not wrong.
update public.data_bars as d set high = 9 where d.canonical_symbol = 'ACME' and d.ts_utc = '2025-07-01 01:00+00';
select is(
  public.agg_maintain(p_now => '2025-07-01 07:00+00') -> 'windows_wrong', '0', 'a window that a change note waits for is not wrong'
);
call tests.run('2025-07-01 07:01+00');

-- A window that cannot be computed, unnoticed.
alter table public.data_bars drop constraint data_bars_vol_in_range;
set local session_replication_role = replica;
update public.data_bars as d set vol = 1e308
where d.canonical_symbol = 'BOND' and d.ts_utc >= '2025-07-01 02:00+00' and d.ts_utc < '2025-07-01 02:05+00';
update public.derived_data_bars as d set high = 9
where d.timeframe = '5m' and d.ts_utc = '2025-07-01 03:00+00';
set local session_replication_role = origin;
select is(
  public.agg_maintain(p_now => '2025-07-01 08:05+00') -> 'windows_wrong', '3',
  'a task that cannot be computed does not keep the others from being verified'
);
call tests.run('2025-07-01 08:05+00');
select results_eq(
  $$ select k.canonical_symbol, k.timeframe, k.spans from agg.correction as k $$,
  $$ values ('BOND', '5m', tstzmultirange(tstzrange('2025-07-01 02:00+00', '2025-07-01 02:05+00'))) $$,
  'the run after builds again what can be built'
);
select is_empty(
  $$ select d.high from public.derived_data_bars as d where d.high = 9 and d.ts_utc = '2025-07-01 03:00+00' $$,
  'beside the window that cannot be computed as well'
);

-- An error of the audit itself.
create function pg_temp.refuse() returns trigger language plpgsql as $$ begin raise exception 'no place'; end; $$;
create trigger refuse before insert on agg.correction for each row when (new.canonical_symbol = 'ACME') execute function pg_temp.refuse();
set local session_replication_role = replica;
update public.derived_data_bars as d set high = 9 where d.timeframe = '1h' and d.ts_utc = '2025-07-01 03:00+00';
set local session_replication_role = origin;
set local client_min_messages = error;
create temporary table maintained as select public.agg_maintain(p_now => '2025-07-01 09:10+00') as result;
select results_eq(
  $$ select m.result -> 'windows_wrong', m.result #> '{sync,success}' from maintained as m $$, $$ values ('1'::jsonb, 'true'::jsonb) $$,
  'an asset whose audit raises an error holds up neither other assets nor the rest of the maintenance'
);
select results_eq(
  $$ select c.subject, c.value from public.agg_check('2025-07-01 09:10+00') as c where c."check" = 'audit' $$,
  $$ values ('ACME', 'no place (P0001)') $$, 'agg_check() lists it'
);
drop table agg.audit;
select is(
  public.agg_maintain(p_now => '2025-07-01 10:10+00') #>> '{sync,success}', 'true', 'an audit that fails stops nothing else'
);

select * from finish();
rollback;
