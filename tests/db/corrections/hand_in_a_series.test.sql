begin;
select plan(6);

update public.core_asset_registry_all as r
set metadata = r.metadata || '{"components": ["A"], "component_weights": {"A": 1}, "formula_base": 1}'
where r.canonical_symbol = 'DXY';
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'A', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from generate_series(0, 119) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
create function pg_temp.dxy() returns table (timeframe text, ts_utc timestamptz, high double precision, source text, covered integer)
language sql as $$
  select b.timeframe, b.ts_utc, b.high, d.source, b.covered_minutes
  from agg.source_bar as b
  left join public.data_bars as d using (canonical_symbol, timeframe, ts_utc)
  where b.canonical_symbol = 'DXY' and b.deleted_at is null
  order by 1, 2
$$;

do $$
begin
  perform agg.run_batch(p_now => '2025-07-01 03:00+00');
  perform agg.take_notes(1000);
end;
$$;
select is_empty('select k.timeframe from agg.correction as k', 'agg.build_synthetic() gives its own task no correction when it advances');
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 03:00+00'); end; $$;
create temporary table bar_before as select d.* from pg_temp.dxy() as d;

update public.data_bars as b set high = 2, close = 2 where b.canonical_symbol = 'A' and b.ts_utc = '2025-07-01 00:31+00';
do $$
begin
  perform agg.run_batch(p_now => '2025-07-01 03:00+00');
  perform agg.take_notes(1000);
end;
$$;
select results_eq(
  'select k.timeframe, k.spans from agg.correction as k order by 1',
  $$ values ('5m', tstzmultirange(tstzrange('2025-07-01 00:31+00', '2025-07-01 00:32+00'))) $$,
  'nor when it builds a minute again'
);
update public.data_bars as b set high = 1, close = 1 where b.canonical_symbol = 'A';
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 03:00+00'); end; $$;

delete from public.data_bars as b
where b.canonical_symbol = 'DXY' and b.ts_utc >= '2025-07-01 00:10+00' and b.ts_utc < '2025-07-01 00:15+00';
select is(
  public.agg_run_due(p_now => '2025-07-01 03:00+00') - 'windows',
  '{
    "tasks": 3, "bars_created": 0, "bars_quality_poor": 0, "bars_corrected": 5, "failed": 0, "batches": 2, "stopped_reason": "idle"
  }',
  'agg_run_due() builds deleted minutes of a series again, and is done'
);
select results_eq(
  'select d.* from pg_temp.dxy() as d', 'select b.* from bar_before as b order by 1, 2', 'so that all is as before'
);

update public.data_bars as b set high = 60, close = 60, source = 'ingest'
where b.canonical_symbol = 'DXY' and b.ts_utc in ('2025-07-01 00:40+00', '2025-07-01 01:59+00');
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 03:00+00'); end; $$;
select results_eq(
  'select d.* from pg_temp.dxy() as d', 'select b.* from bar_before as b order by 1, 2',
  'agg_run_due() overwrites what another hand has written into a series'
);

-- Seen by the longer timeframes first.
delete from public.data_bars as b
where b.canonical_symbol = 'DXY' and b.ts_utc >= '2025-07-01 00:10+00' and b.ts_utc < '2025-07-01 00:15+00';
do $$
begin
  perform agg.take_notes(1000);
  perform agg.correct_tasks(agg.claim_corrections('prod', '5m', 10, '2025-07-01 03:00+00'), '5m', '2025-07-01 03:00+00', 1000);
  perform agg.correct_tasks(agg.claim_corrections('prod', '1h', 10, '2025-07-01 03:00+00'), '1h', '2025-07-01 03:00+00', 1000);
  perform public.agg_run_due(p_now => '2025-07-01 03:00+00');
end;
$$;
select results_eq(
  'select d.* from pg_temp.dxy() as d', 'select b.* from bar_before as b order by 1, 2',
  'agg_run_due() leads longer timeframes back that have followed the other hand'
);

select * from finish();
rollback;
