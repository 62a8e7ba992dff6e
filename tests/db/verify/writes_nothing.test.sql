begin;
select plan(2);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 2, 1, 1, 1
from generate_series(0, 239) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
update public.derived_data_bars as d set high = 9 where d.timeframe = '5m' and d.ts_utc = '2025-07-01 01:00+00';
update public.data_bars as b set high = 3 where b.ts_utc = '2025-07-01 02:02+00';
delete from public.data_bars as b where b.ts_utc >= '2025-07-01 03:00+00';
create function pg_temp.places() returns table (name text, place tid)
language sql as $$
  select 'data_bars', b.ctid from public.data_bars as b
  union all
  select 'derived_data_bars', d.ctid from public.derived_data_bars as d
  union all
  select 'data_agg_state', s.ctid from public.data_agg_state as s
  union all
  select 'change_note', n.ctid from agg.change_note as n
  union all
  select 'correction', k.ctid from agg.correction as k
  order by 1, 2
$$;
create temporary table place_before as select p.* from pg_temp.places() as p;

create temporary table found as select v.* from public.agg_verify() as v;
select results_eq(
  'select f.timeframe, f.problem, count(*) from found as f group by 1, 2 order by 1, 2',
  $$ values ('1h', 'different', 1::bigint), ('5m', 'different', 2), ('5m', 'stale', 12) $$,
  'there is something to find in this test'
);
select results_eq(
  'select p.* from pg_temp.places() as p', 'select b.* from place_before as b order by 1, 2', 'agg_verify() writes nothing, wherever'
);

select * from finish();
rollback;
