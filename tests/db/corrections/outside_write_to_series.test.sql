begin;
select plan(6);

call tests.clear();
call tests.add_basket('DXY', '{"A": 1}');
call tests.add_minutes('A', '2025-07-01 00:00+00', '2025-07-01 02:00+00');
create function pg_temp.dxy() returns table (timeframe text, ts_utc timestamptz, high double precision, source text, covered integer)
language sql as $$
  select b.timeframe, b.ts_utc, b.high, d.source, b.covered_minutes
  from agg.source_bar as b
  left join public.data_bars as d using (canonical_symbol, timeframe, ts_utc)
  where b.canonical_symbol = 'DXY' and b.is_bar
  order by 1, 2
$$;

do $$
begin
  perform agg.run_batch(p_now => '2025-07-01 03:00+00');
  perform agg.take_notes(1000);
end;
$$;
select is_empty('select k.timeframe from agg.correction as k', 'a series that advances adds no correction to its own task');
call tests.run('2025-07-01 03:00+00');
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
  'a series that builds a minute again adds no correction to its own task'
);
update public.data_bars as b set high = 1, close = 1 where b.canonical_symbol = 'A';
call tests.run('2025-07-01 03:00+00');

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
  'select d.* from pg_temp.dxy() as d', 'select b.* from bar_before as b order by 1, 2', 'every bar is as before'
);

-- Replication and restores write what they like.
set local session_replication_role = replica;
update public.data_bars as b set high = 60, close = 60, source = 'ingest'
where b.canonical_symbol = 'DXY' and b.ts_utc in ('2025-07-01 00:40+00', '2025-07-01 01:59+00');
set local session_replication_role = origin;
call tests.run('2025-07-01 03:00+00');
select results_eq(
  'select d.* from pg_temp.dxy() as d', 'select b.* from bar_before as b order by 1, 2',
  'agg_run_due() overwrites outside writes to a series'
);

-- The longer timeframes are corrected before the series itself.
delete from public.data_bars as b
where b.canonical_symbol = 'DXY' and b.ts_utc >= '2025-07-01 00:10+00' and b.ts_utc < '2025-07-01 00:15+00';
do $$
begin
  perform agg.take_notes(1000);
  perform agg.correct_tasks(agg.claim_corrections('prod', '5m', 10, '2025-07-01 03:00+00'), '5m', '2025-07-01 03:00+00', 1000);
  perform agg.correct_tasks(agg.claim_corrections('prod', '1h', 10, '2025-07-01 03:00+00'), '1h', '2025-07-01 03:00+00', 1000);
end;
$$;
call tests.run('2025-07-01 03:00+00');
select results_eq(
  'select d.* from pg_temp.dxy() as d', 'select b.* from bar_before as b order by 1, 2',
  'agg_run_due() corrects longer timeframes that were built from an outside write'
);

select * from finish();
rollback;
