begin;
select plan(4);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}'), ('BCME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select s.symbol, timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from unnest(array['ACME', 'BCME']) as s (symbol)
cross join generate_series(0, 119) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 02:05+00'); end; $$;
create function pg_temp.hours(p_symbol text) returns bigint
language sql as $$
  select count(*) from public.derived_data_bars as d where d.canonical_symbol = p_symbol and d.timeframe = '1h' and d.deleted_at is null
$$;
select is(array[pg_temp.hours('ACME'), pg_temp.hours('BCME')], array[2, 2]::bigint[], 'two hours are built');

-- With the triggers on, and with them off.
delete from public.data_bars as b where b.canonical_symbol = 'ACME' and b.ts_utc >= '2025-07-01 00:30+00';
set local session_replication_role = replica;
delete from public.data_bars as b where b.canonical_symbol = 'BCME' and b.ts_utc >= '2025-07-01 00:30+00';
set local session_replication_role = origin;
do $$
begin
  perform public.agg_bootstrap_cursor('ACME', '5m');
  perform public.agg_bootstrap_cursor('BCME', '5m');
  perform public.agg_run_due(p_now => '2025-07-01 02:05+00');
end;
$$;
select is(pg_temp.hours('ACME'), 0::bigint, 'the hours go with the 5m bars that an advance takes away beyond the end of the data');
select is(pg_temp.hours('BCME'), 0::bigint, 'whether the loss of their source was noted or not');
select is_empty('select v.* from public.agg_verify() as v', 'agg_verify() finds nothing stale');

select * from finish();
rollback;
