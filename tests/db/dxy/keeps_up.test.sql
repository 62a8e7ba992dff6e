begin;
select plan(4);

select is(
  (select s.aggregation_delay_seconds from public.data_agg_state as s where s.canonical_symbol = 'DXY' and s.timeframe = '1m'), 0,
  'a new 1m task has no delay'
);
select set_eq(
  $$ select s.aggregation_delay_seconds from public.data_agg_state as s where s.timeframe <> '1m' $$, array[300],
  'the tasks of longer timeframes wait five minutes'
);

-- Two hours, minute by minute: each pair brings the minute that has just ended, within half a second or a little after the run.
create temporary table lag (now_utc timestamptz, behind interval);
do $$
declare
  v_start constant timestamptz := '2025-07-01 00:00+00';
begin
  for v_minute in 1..120 loop
    -- One of the pairs is late every third minute: it comes after the run.
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    select p.symbol, v_start + make_interval(mins => v_minute - 1), 1, 1, 1, 1
    from unnest(array['EURUSD', 'USDJPY', 'GBPUSD', 'USDCAD', 'USDSEK', 'USDCHF']) as p (symbol)
    where p.symbol <> 'USDSEK' or v_minute % 3 <> 0;
    perform public.agg_run_due(
      p_now => v_start + make_interval(mins => v_minute, secs => case when v_minute % 2 = 0 then 0.074 else 0.027 end)
    );
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    select 'USDSEK', v_start + make_interval(mins => v_minute - 1), 1, 1, 1, 1
    where v_minute % 3 = 0;
    insert into lag (now_utc, behind)
    select
      v_start + make_interval(mins => v_minute),
      max(d.ts_utc) filter (where d.canonical_symbol = 'EURUSD') - max(d.ts_utc) filter (where d.canonical_symbol = 'DXY')
    from public.data_bars as d;
  end loop;
end;
$$;
select is_empty(
  $$ select l.* from lag as l where l.now_utc > '2025-07-01 00:05+00' and (l.behind > interval '2 minutes') is not false $$,
  'DXY is at most two minutes behind its pairs'
);
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 02:02+00'); end; $$;
select is(
  (select count(*) from public.data_bars as d where d.canonical_symbol = 'DXY'), 120::bigint, 'and has every minute in the end'
);

select * from finish();
rollback;
