begin;
select plan(4);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_asset('BCME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 02:00+00');
call tests.add_minutes('BCME', '2025-07-01 00:00+00', '2025-07-01 02:00+00');
call tests.run('2025-07-01 02:05+00');
create function pg_temp.hours(p_symbol text) returns bigint
language sql as $$
  select count(*) from public.derived_data_bars as d where d.canonical_symbol = p_symbol and d.timeframe = '1h' and d.deleted_at is null
$$;
select is(array[pg_temp.hours('ACME'), pg_temp.hours('BCME')], array[2, 2]::bigint[], 'two hours are built');

-- With its notes, and without.
delete from public.data_bars as b where b.canonical_symbol = 'ACME' and b.ts_utc >= '2025-07-01 00:30+00';
set local session_replication_role = replica;
delete from public.data_bars as b where b.canonical_symbol = 'BCME' and b.ts_utc >= '2025-07-01 00:30+00';
set local session_replication_role = origin;
delete from agg.change_note as n where n.symbols = '{BCME}';
do $$
begin
  perform public.agg_bootstrap_cursor('ACME', '5m');
  perform public.agg_bootstrap_cursor('BCME', '5m');
end;
$$;
call tests.run('2025-07-01 02:05+00');
select is(pg_temp.hours('ACME'), 0::bigint, 'the hours go with the 5m bars that an advance takes away beyond the end of the data');
select is(pg_temp.hours('BCME'), 0::bigint, 'they also go when the deletion of their source left no note');
select is_empty('select v.* from public.agg_verify() as v', 'agg_verify() finds nothing stale');

select * from finish();
rollback;
