begin;
select plan(4);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from generate_series(0, 3 * 1440 - 1) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-04 01:00+00'); end; $$;
-- A wrong bar stays wrong for as long as its window is not built again.
create function pg_temp.tamper() returns void
language sql as $$ update public.derived_data_bars as d set trade_count = 99 where d.timeframe = '5m' $$;
create function pg_temp.mended() returns timestamptz[]
language sql as $$
  select array_agg(d.ts_utc order by d.ts_utc) from public.derived_data_bars as d where d.timeframe = '5m' and d.trade_count is null
$$;

do $$ begin perform pg_temp.tamper(); end; $$;
update public.data_bars as b set high = 2 where b.ts_utc in ('2025-07-01 00:02+00', '2025-07-02 12:00+00', '2025-07-03 23:59+00');
select cmp_ok(
  (public.agg_run_due(p_now => '2025-07-04 01:00+00') ->> 'windows')::integer, '<=', 6,
  'agg_run_due() builds three 5m and three 1h windows for three scattered rows of one statement'
);
select is(
  pg_temp.mended(), array['2025-07-01 00:00+00', '2025-07-02 12:00+00', '2025-07-03 23:55+00']::timestamptz[],
  'agg_run_due() builds nothing between them'
);

do $$ begin perform pg_temp.tamper(); end; $$;
update public.data_bars as b set high = 3
where b.ts_utc >= '2025-07-01 00:00+00' and b.ts_utc < '2025-07-01 09:00+00' or b.ts_utc >= '2025-07-03 14:00+00';
do $$ begin perform public.agg_run_due(p_now => '2025-07-04 01:00+00'); end; $$;
select is(cardinality(pg_temp.mended()), 9 * 12 + 10 * 12, 'agg_run_due() builds the runs of a large statement');
select is(
  (
    select count(*) from unnest(pg_temp.mended()) as w (ts_utc)
    where w.ts_utc >= '2025-07-01 09:00+00' and w.ts_utc < '2025-07-03 14:00+00'
  ),
  0::bigint, 'agg_run_due() builds nothing between these, either'
);

select * from finish();
rollback;
