begin;
select plan(2);

insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select c.symbol, timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from unnest(array['EURUSD', 'USDJPY', 'GBPUSD', 'USDCAD', 'USDSEK', 'USDCHF']) as c (symbol)
cross join generate_series(0, 119) as m (n)
where (c.symbol, m.n) <> ('USDCHF', 40);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 03:00+00'); end; $$;
create function pg_temp.dxy() returns table (timeframe text, ts_utc timestamptz, close double precision, covered integer)
language sql as $$
  select b.timeframe, b.ts_utc, b.close, b.covered_minutes
  from agg.source_bar as b
  where b.canonical_symbol = 'DXY' and b.deleted_at is null
  order by 1, 2
$$;
create temporary table bar_before as select d.* from pg_temp.dxy() as d;

-- Unnoticed: with the triggers off.
set local session_replication_role = replica;
delete from public.data_bars as b
where b.canonical_symbol = 'DXY' and b.ts_utc >= '2025-07-01 00:10+00' and b.ts_utc < '2025-07-01 00:20+00';
update public.data_bars as b set close = 60, high = 60 where b.canonical_symbol = 'DXY' and b.ts_utc = '2025-07-01 01:59+00';
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, source)
values ('DXY', '2025-07-01 00:40+00', 50, 50, 50, 50, 'synthetic');
set local session_replication_role = origin;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 03:00+00'); end; $$;
select is(
  public.agg_repair('DXY'), '{"success": true, "tasks": 2, "windows": 16}', 'agg_repair() asks for synthetic minutes'
);
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 03:00+00'); end; $$;
select results_eq(
  'select d.* from pg_temp.dxy() as d', 'select b.* from bar_before as b order by 1, 2',
  'agg_run_due() then mends them, through every level'
);

select * from finish();
rollback;
