begin;
select plan(8);

call tests.add_asset('STEPS');
call tests.add_asset('ONCE');

-- Nine days are 2592 5m windows; a fifth of the minutes is missing, every sixth 100 minutes wholly.
select setseed(0.5);
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select s.symbol, m.ts_utc, m.price, m.price + 1, m.price - 1, m.price + 0.5, m.n
from (
  select g.n, timestamptz '2025-07-01 00:00+00' + g.n * interval '1 minute' as ts_utc, floor(random() * 100) + 10 as price
  from generate_series(0, 9 * 1440 - 1) as g (n)
  where random() < 0.8 and (g.n / 100) % 6 <> 3
) as m
cross join unnest(array['STEPS', 'ONCE']) as s (symbol);

create temporary table step (
  step_no integer generated always as identity, timeframe text, max_windows integer, old_cursor timestamptz, result jsonb
);
create temporary table boundary (timeframe text, step_no integer, old_cursor timestamptz, new_cursor timestamptz);
do $$
declare
  v_now constant timestamptz := '2025-07-10 01:00+00';
  v_timeframe text;
  v_max_windows integer;
  v_cursor timestamptz;
  v_built jsonb;
begin
  foreach v_timeframe in array array['5m', '1h'] loop
    loop
      v_max_windows := 1 + floor(random() ^ 3 * 60);
      v_cursor := public.agg_start('STEPS', v_timeframe, v_now) ->> 'last_agg_bar_ts_utc';
      v_built := public.catchup_aggregation_range('STEPS', v_timeframe, v_cursor, v_max_windows, v_now);
      perform public.agg_finish('STEPS', v_timeframe, true, (v_built ->> 'new_cursor')::timestamptz, v_built, p_now => v_now);
      insert into step (timeframe, max_windows, old_cursor, result) values (v_timeframe, v_max_windows, v_cursor, v_built);
      exit when v_built ->> 'stopped_reason' <> 'max_windows';
    end loop;
    perform public.agg_start('ONCE', v_timeframe, v_now);
    v_built := public.catchup_aggregation_range('ONCE', v_timeframe, null, 1000000, v_now);
    perform public.agg_finish('ONCE', v_timeframe, true, (v_built ->> 'new_cursor')::timestamptz, v_built, p_now => v_now);
  end loop;
end;
$$;
insert into boundary (timeframe, step_no, old_cursor, new_cursor)
select s.timeframe, s.step_no, s.old_cursor, (s.result ->> 'new_cursor')::timestamptz from step as s;

select cmp_ok((select count(*) from step as s where s.timeframe = '5m'), '>', 100::bigint, 'the 5m windows take more than 100 steps');
select is_empty(
  $$
    select b.step_no
    from boundary as b
    left join boundary as p on p.step_no = b.step_no - 1 and p.timeframe = b.timeframe
    where b.new_cursor <= b.old_cursor
      or b.old_cursor <> coalesce(
        p.new_cursor, timestamptz '2025-07-01 00:00+00' - case b.timeframe when '5m' then interval '5 minutes' else interval '1 hour' end
      )
      or mod(extract(epoch from b.new_cursor), case b.timeframe when '5m' then 300 else 3600 end) <> 0
  $$,
  'catchup_aggregation_range() moves an aligned cursor forward from where it stood'
);
select is_empty(
  $$
    select s.step_no
    from step as s
    join boundary as b on b.step_no = s.step_no
    where ((s.result ->> 'windows_processed')::integer + (s.result ->> 'windows_empty')::integer)
      * case s.timeframe when '5m' then interval '5 minutes' else interval '1 hour' end <> b.new_cursor - b.old_cursor
  $$,
  'catchup_aggregation_range() accounts for every window between the cursors'
);
select is_empty(
  $$
    select s.step_no
    from step as s
    where (s.result ->> 'windows_processed')::integer > s.max_windows
      or (s.result ->> 'stopped_reason' = 'max_windows' and (s.result ->> 'windows_processed')::integer < s.max_windows)
  $$,
  'catchup_aggregation_range() processes as many windows as it may, no more and no fewer'
);
select results_eq(
  $$
    select s.timeframe, sum((s.result ->> 'windows_processed')::bigint)
    from step as s
    group by 1
    order by 1
  $$,
  $$
    values
      ('1h', (
        select count(distinct date_trunc('hour', d.ts_utc))
        from public.derived_data_bars as d
        where d.canonical_symbol = 'STEPS' and d.timeframe = '5m'
      )::numeric),
      ('5m', (
        select count(distinct floor(extract(epoch from b.ts_utc) / 300))
        from public.data_bars as b
        where b.canonical_symbol = 'STEPS'
      )::numeric)
  $$,
  'catchup_aggregation_range() decides every window with source bars exactly once'
);
select results_eq(
  $$
    select s.timeframe, sum((s.result ->> 'bars_created')::bigint), sum((s.result ->> 'bars_written')::bigint)
    from step as s
    group by 1
    order by 1
  $$,
  $$
    select d.timeframe, count(*)::numeric, count(*)::numeric
    from public.derived_data_bars as d
    where d.canonical_symbol = 'STEPS' and d.deleted_at is null
    group by 1
    order by 1
  $$,
  'catchup_aggregation_range() writes every bar exactly once'
);
select results_eq(
  $$
    select d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.covered_minutes, d.quality_score
    from public.derived_data_bars as d
    where d.canonical_symbol = 'STEPS'
    order by d.timeframe, d.ts_utc
  $$,
  $$
    select d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.covered_minutes, d.quality_score
    from public.derived_data_bars as d
    where d.canonical_symbol = 'ONCE'
    order by d.timeframe, d.ts_utc
  $$,
  'catchup_aggregation_range() in random steps stores what one call stores'
);
select results_eq(
  $$
    select s.timeframe, s.last_agg_bar_ts_utc, s.total_bars_created
    from public.data_agg_state as s
    where s.canonical_symbol = 'STEPS'
    order by 1
  $$,
  $$
    select s.timeframe, s.last_agg_bar_ts_utc, s.total_bars_created
    from public.data_agg_state as s
    where s.canonical_symbol = 'ONCE'
    order by 1
  $$,
  'catchup_aggregation_range() in random steps ends where one call ends'
);

select * from finish();
rollback;
