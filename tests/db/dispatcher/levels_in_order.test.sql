begin;
select plan(4);

call tests.add_asset('EURUSD');
call tests.add_rates('2025-07-01 00:00+00', '2025-07-01 05:00+00');

-- None has been due for long.
update public.data_agg_state as s set next_run_at = '2025-07-01 05:56+00';
create temporary table trace (batch_no integer, tasks integer, ran text);
do $$
declare
  v_before jsonb;
  v_batch agg.batch_result;
begin
  for v_batch_no in 1..20 loop
    v_before := (select jsonb_object_agg(s.canonical_symbol || ' ' || s.timeframe, s.total_runs) from public.data_agg_state as s);
    v_batch := agg.run_batch(p_now => '2025-07-01 06:00+00', p_batch_windows => 240);
    exit when v_batch.tasks = 0;
    insert into trace (batch_no, tasks, ran)
    select v_batch_no, v_batch.tasks, string_agg(k.task, ', ' order by k.task)
    from (
      select s.canonical_symbol || ' ' || s.timeframe as task, s.total_runs from public.data_agg_state as s
    ) as k
    where k.total_runs > (v_before ->> k.task)::bigint;
  end loop;
end;
$$;

select results_eq(
  'select t.tasks, t.ran from trace as t order by t.batch_no',
  $$
    values (1, 'DXY 1m'), (1, 'DXY 1m'), (2, 'DXY 5m, EURUSD 5m'), (2, 'DXY 1h, EURUSD 1h')
  $$,
  'agg.run_batch() runs 1m, then 5m, then 1h, each level complete before the next'
);
select results_eq(
  $$
    select s.canonical_symbol, s.timeframe, s.last_agg_bar_ts_utc
    from public.data_agg_state as s
    order by s.canonical_symbol, s.run_interval_minutes
  $$,
  $$
    values
      ('DXY', '1m', timestamptz '2025-07-01 04:59+00'), ('DXY', '5m', '2025-07-01 04:55+00'), ('DXY', '1h', '2025-07-01 04:00+00'),
      ('EURUSD', '5m', '2025-07-01 04:55+00'), ('EURUSD', '1h', '2025-07-01 04:00+00')
  $$,
  'agg.run_batch() brings every level up to its source in one go'
);
select results_eq(
  $$
    select d.canonical_symbol, d.timeframe, d.quality_score::integer, count(*)
    from public.derived_data_bars as d
    group by 1, 2, 3
    order by 1, 2
  $$,
  $$ values ('DXY', '1h', 2, 5::bigint), ('DXY', '5m', 2, 60), ('EURUSD', '1h', 2, 5), ('EURUSD', '5m', 2, 60) $$,
  'agg.run_batch() aggregates a synthetic series like any other'
);

-- One component ends: the basket waits for it, and its longer timeframes wait for the basket.
call tests.add_rates('2025-07-01 05:00+00', '2025-07-01 10:00+00');
delete from public.data_bars as b where b.canonical_symbol = 'USDCHF' and b.ts_utc >= '2025-07-01 05:00+00';
call tests.run('2025-07-01 11:00+00');
select results_eq(
  $$
    select s.canonical_symbol, s.timeframe, s.last_agg_bar_ts_utc
    from public.data_agg_state as s
    order by s.canonical_symbol, s.run_interval_minutes
  $$,
  $$
    values
      ('DXY', '1m', timestamptz '2025-07-01 04:59+00'), ('DXY', '5m', '2025-07-01 04:55+00'), ('DXY', '1h', '2025-07-01 04:00+00'),
      ('EURUSD', '5m', '2025-07-01 09:55+00'), ('EURUSD', '1h', '2025-07-01 09:00+00')
  $$,
  'agg_run_due() lets a basket wait for its slowest component, and no other asset'
);

select * from finish();
rollback;
