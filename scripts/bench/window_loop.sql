-- What pgbars replaces: tasks taken one by one, windows aggregated and upserted one by one, as hand-made aggregators do. Its
-- cursor stays on the start of the last decided window, so that it skips none; it knows no gaps, since the data have none.
create schema window_loop;

create function window_loop.upsert_derived_bar(
  p_symbol text, p_timeframe text, p_ts_utc timestamptz,
  p_open double precision, p_high double precision, p_low double precision, p_close double precision,
  p_vol double precision, p_vwap double precision, p_trade_count bigint,
  p_source_timeframe text, p_source_candles integer, p_expected_candles integer, p_quality integer, p_version integer
)
returns void
language sql
as $$
  insert into public.derived_data_bars as d (
    canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count,
    source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes, quality_score, derivation_version
  )
  values (
    p_symbol, p_timeframe, p_ts_utc, p_open, p_high, p_low, p_close, p_vol, p_vwap, p_trade_count,
    p_source_timeframe, p_source_candles, p_expected_candles, p_source_candles, p_expected_candles, p_quality, p_version
  )
  on conflict (canonical_symbol, timeframe, ts_utc) do update set
    open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
    vol = excluded.vol, vwap = excluded.vwap, trade_count = excluded.trade_count,
    source_candles = excluded.source_candles, quality_score = excluded.quality_score,
    derivation_version = excluded.derivation_version, deleted_at = null, updated_at = now();
$$;

create function window_loop.aggregate_1m_to_5m_window(
  p_symbol text, p_from_utc timestamptz, p_to_utc timestamptz, p_version integer
)
returns jsonb
language plpgsql
as $$
declare
  v_bar record;
  v_quality integer;
begin
  select
    count(*) as source_count,
    (array_agg(b.open order by b.ts_utc))[1] as open,
    max(b.high) as high,
    min(b.low) as low,
    (array_agg(b.close order by b.ts_utc desc))[1] as close,
    sum(b.vol) as vol,
    case when sum(b.vol) > 0 then sum(b.vwap * b.vol) / sum(b.vol) end as vwap,
    sum(b.trade_count) as trade_count
  into v_bar
  from public.data_bars as b
  where b.canonical_symbol = p_symbol and b.timeframe = '1m' and b.ts_utc >= p_from_utc and b.ts_utc < p_to_utc;

  if v_bar.source_count < 3 then
    return jsonb_build_object('success', true, 'stored', false, 'source_count', v_bar.source_count);
  end if;
  v_quality := case when v_bar.source_count >= 5 then 2 when v_bar.source_count = 4 then 1 else 0 end;
  perform window_loop.upsert_derived_bar(
    p_symbol, '5m', p_from_utc, v_bar.open, v_bar.high, v_bar.low, v_bar.close, v_bar.vol, v_bar.vwap,
    v_bar.trade_count::bigint, '1m', v_bar.source_count::integer, 5, v_quality, p_version
  );
  return jsonb_build_object(
    'success', true, 'stored', true, 'source_count', v_bar.source_count, 'quality_score', v_quality
  );
end;
$$;

create function window_loop.catchup_aggregation_range(
  p_symbol text, p_cursor_utc timestamptz, p_max_windows integer, p_until_utc timestamptz
)
returns jsonb
language plpgsql
as $$
declare
  v_task public.data_agg_state;
  v_length interval;
  v_last_source_utc timestamptz;
  v_cursor timestamptz := p_cursor_utc;
  v_start timestamptz;
  v_result jsonb;
  v_processed integer := 0;
  v_bars integer := 0;
  v_poor integer := 0;
  v_stopped_reason text := 'max_windows';
begin
  select s.* into v_task
  from public.data_agg_state as s
  where s.canonical_symbol = p_symbol and s.timeframe = '5m';
  v_length := make_interval(mins => v_task.run_interval_minutes);
  select max(b.ts_utc) into v_last_source_utc
  from public.data_bars as b
  where b.canonical_symbol = p_symbol and b.timeframe = '1m';

  while v_processed < p_max_windows loop
    v_start := v_cursor + v_length;
    if v_start + v_length > p_until_utc - make_interval(secs => v_task.aggregation_delay_seconds) then
      v_stopped_reason := 'frontier';
      exit;
    end if;
    v_result := window_loop.aggregate_1m_to_5m_window(p_symbol, v_start, v_start + v_length, 1);
    if (v_result ->> 'source_count')::integer = 0 then
      v_stopped_reason := 'no_source_data';
      exit;
    end if;
    if (v_result ->> 'stored')::boolean then
      v_bars := v_bars + 1;
      v_poor := v_poor + ((v_result ->> 'quality_score')::integer = 0)::integer;
    end if;
    v_cursor := v_start;
    v_processed := v_processed + 1;
  end loop;
  return jsonb_build_object(
    'success', true, 'windows_processed', v_processed, 'bars_created', v_bars, 'bars_quality_poor', v_poor,
    'new_cursor', v_cursor, 'stopped_reason', v_stopped_reason, 'max_source_ts', v_last_source_utc
  );
end;
$$;

create function window_loop.agg_start(p_symbol text, p_now timestamptz)
returns timestamptz
language sql
as $$
  update public.data_agg_state as s
  set status = 'running', running_started_at_utc = p_now, last_attempted_at_utc = p_now, updated_at = now()
  where s.canonical_symbol = p_symbol and s.timeframe = '5m' and s.status = 'idle'
  returning s.last_agg_bar_ts_utc;
$$;

create function window_loop.agg_finish(p_symbol text, p_stats jsonb, p_now timestamptz)
returns void
language sql
as $$
  update public.data_agg_state as s
  set
    status = 'idle',
    running_started_at_utc = null,
    last_agg_bar_ts_utc = (p_stats ->> 'new_cursor')::timestamptz,
    next_run_at = p_now + make_interval(mins => s.run_interval_minutes),
    total_runs = s.total_runs + 1,
    total_bars_created = s.total_bars_created + (p_stats ->> 'bars_created')::bigint,
    last_successful_at_utc = p_now,
    updated_at = now()
  where s.canonical_symbol = p_symbol and s.timeframe = '5m';
$$;
