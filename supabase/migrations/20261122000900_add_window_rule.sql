-- First open, highest high, lowest low, last close, sums; vwap = sum(vwap * vol) / sum(vol) over the source bars that have
-- both. Quality is coverage: the minutes that went in against those in which the session is open.
create function agg.compare_windows(p_orders agg.build_order[])
returns setof agg.window_bar
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access here is a range of a key for each order, read in its order. Statistics of a table that has just been
-- loaded, or a plan cached before, must not turn one into a scan or a sort of the table.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_sort = off
set enable_hashagg = on
set jit = off
set work_mem = '32MB'
as $$
begin
  return query
  with build as (
    select
      o.*,
      (extract(epoch from o.window_length) / 60)::integer as window_minutes,
      (extract(epoch from o.source_length) / 60)::integer as source_minutes,
      exists (
        select from public.derived_data_bars as d
        where d.canonical_symbol = o.canonical_symbol and d.timeframe = o.timeframe
          and d.ts_utc >= o.from_utc and d.ts_utc < o.to_utc
      ) as has_bars
    from unnest(p_orders) with ordinality as o
    where o.source_timeframe is not null
  ),
  window_bar as materialized (
    select
      b.ordinality as order_no, b.canonical_symbol, b.timeframe, b.source_timeframe, b.window_length,
      b.derivation_version, b.has_bars,
      w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.trade_count,
      w.source_candles, e.expected_candles,
      w.covered_minutes, e.expected_minutes,
      case
        when e.expected_minutes = 0 then null
        when w.covered_minutes >= e.expected_minutes then 2
        when w.covered_minutes * 100 >= e.expected_minutes * b.good_percent then 1
        when w.covered_minutes * 100 >= e.expected_minutes * b.poor_percent then 0
      end as quality_score,
      case when b.has_bars then (
        select d from public.derived_data_bars as d
        where d.canonical_symbol = b.canonical_symbol and d.timeframe = b.timeframe and d.ts_utc = w.ts_utc
      ) end as stored
    from build as b
    cross join lateral (
      select g.*
      from (
        select
          s.window_start as ts_utc,
          -- Arrays compare by their first element first: the price that goes with the first and with the last ts_utc.
          (min(array[s.epoch, s.open]))[2] as open,
          max(s.high) as high,
          min(s.low) as low,
          (max(array[s.epoch, s.close]))[2] as close,
          sum(s.vol) as vol,
          sum(s.vwap * s.vwap_vol) / sum(s.vwap_vol) as vwap,
          sum(s.trade_count)::bigint as trade_count,
          count(*)::integer as source_candles,
          sum(s.covered_minutes)::integer as covered_minutes
        from (
          select
            date_bin(b.window_length, f.ts_utc, timestamptz '2000-01-01 00:00:00+00') as window_start,
            date_part('epoch', f.ts_utc) as epoch,
            case when f.vol > 0 and f.vwap is not null then f.vol end as vwap_vol,
            f.*
          from (
            select c.*
            from agg.source_bar as c
            where c.canonical_symbol = b.canonical_symbol and c.timeframe = b.source_timeframe
              and c.ts_utc >= b.from_utc and c.ts_utc < b.to_utc and c.deleted_at is null
              -- A minute outside the trading session is no part of a session bar; longer sources hold none any more.
              and (
                b.session_minutes is null or b.source_minutes > 1
                or b.session_minutes @> agg.minute_of_week(c.ts_utc, b.session_time_zone)
              )
            order by c.ts_utc
            -- No window holds more source bars than this, so the first max_windows windows are complete.
            limit b.max_windows::bigint * b.window_minutes / b.source_minutes
          ) as f
          -- Sums of floats depend on the order: with this one a bar built again is the same to the last bit.
          order by f.ts_utc
        ) as s
        group by s.window_start
        offset 0
      ) as g
      order by g.ts_utc
      limit b.max_windows
    ) as w
    cross join lateral (
      select b.window_minutes, b.window_minutes / b.source_minutes
      where b.session_minutes is null
      union all
      select sum(o.minutes)::integer, count(*) filter (where o.minutes > 0)::integer
      from generate_series(0, b.window_minutes - 1, b.source_minutes) as i (minute)
      cross join lateral agg.open_minutes(
        w.ts_utc + make_interval(mins => i.minute), b.source_minutes, b.session_time_zone, b.session_minutes
      ) as o (minutes)
      where b.session_minutes is not null
      having b.session_minutes is not null
    ) as e (expected_minutes, expected_candles)
  ),
  -- Grouped rather than joined: linear whatever the planner believes of the number of orders.
  replaced as (
    select
      e.order_no,
      max(e.canonical_symbol) as canonical_symbol,
      max(e.timeframe) as timeframe,
      max(e.from_utc) as from_utc,
      case when count(e.ts_utc) >= max(e.max_windows) then max(e.ts_utc) + max(e.window_length) else max(e.to_utc) end as to_utc,
      range_agg(tstzrange(e.ts_utc, e.ts_utc + e.window_length)) filter (where e.quality_score is not null) as kept
    from (
      select
        b.ordinality as order_no, b.canonical_symbol, b.timeframe, b.from_utc, b.to_utc, b.max_windows,
        b.window_length, null::timestamptz as ts_utc, null::integer as quality_score
      from build as b
      where b.has_bars
      union all
      select w.order_no, null, null, null, null, null, w.window_length, w.ts_utc, w.quality_score
      from window_bar as w
      where w.has_bars
    ) as e
    group by e.order_no
  )
  select
    w.order_no, w.canonical_symbol, w.timeframe, w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.trade_count,
    w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
    w.quality_score::smallint, coalesce(w.derivation_version, (w.stored).derivation_version, 1),
    case
      when w.quality_score is null then null
      when (w.stored).ts_utc is null then 'insert'
      when (
        (w.stored).open, (w.stored).high, (w.stored).low, (w.stored).close,
        (w.stored).vol, (w.stored).vwap, (w.stored).trade_count,
        (w.stored).source_timeframe, (w.stored).source_candles, (w.stored).expected_candles,
        (w.stored).covered_minutes, (w.stored).expected_minutes,
        (w.stored).quality_score, (w.stored).derivation_version, (w.stored).deleted_at
      ) is distinct from (
        w.open, w.high, w.low, w.close, w.vol, w.vwap, w.trade_count,
        w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
        w.quality_score, coalesce(w.derivation_version, (w.stored).derivation_version, 1), null::timestamptz
      ) then 'update'
    end
  from window_bar as w
  union all
  select
    r.order_no, l.canonical_symbol, l.timeframe, l.ts_utc, l.open, l.high, l.low, l.close, l.vol, l.vwap, l.trade_count,
    l.source_timeframe, l.source_candles, l.expected_candles, l.covered_minutes, l.expected_minutes,
    l.quality_score, l.derivation_version, 'remove'
  from replaced as r
  cross join lateral (
    select d.*
    from public.derived_data_bars as d
    where d.canonical_symbol = r.canonical_symbol and d.timeframe = r.timeframe
      and d.ts_utc >= r.from_utc and d.ts_utc < r.to_utc and d.deleted_at is null
    offset 0
  ) as l
  where not coalesce(r.kept @> l.ts_utc, false);
end;
$$;

create function agg.build_windows(p_orders agg.build_order[])
returns setof agg.build_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- As in agg.compare_windows.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_sort = off
set enable_hashagg = on
set jit = off
set work_mem = '32MB'
as $$
begin
  return query
  with window_bar as materialized (
    select w.* from agg.compare_windows(p_orders) as w
  ),
  inserted as (
    insert into public.derived_data_bars (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count,
      source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes,
      quality_score, derivation_version
    )
    select
      w.canonical_symbol, w.timeframe, w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.trade_count,
      w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
      w.quality_score, w.derivation_version
    from window_bar as w
    where w.change = 'insert'
  ),
  -- Conflicts rather than joins: an update that joins may put the table first when it is thought to be empty.
  changed as (
    insert into public.derived_data_bars as d (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count,
      source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes,
      quality_score, derivation_version, deleted_at
    )
    select
      w.canonical_symbol, w.timeframe, w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.trade_count,
      w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
      w.quality_score, w.derivation_version, case w.change when 'remove' then now() end
    from window_bar as w
    where w.change in ('update', 'remove')
    on conflict (canonical_symbol, timeframe, ts_utc) do update set
      open = excluded.open,
      high = excluded.high,
      low = excluded.low,
      close = excluded.close,
      vol = excluded.vol,
      vwap = excluded.vwap,
      trade_count = excluded.trade_count,
      source_timeframe = excluded.source_timeframe,
      source_candles = excluded.source_candles,
      expected_candles = excluded.expected_candles,
      covered_minutes = excluded.covered_minutes,
      expected_minutes = excluded.expected_minutes,
      quality_score = excluded.quality_score,
      derivation_version = excluded.derivation_version,
      deleted_at = excluded.deleted_at,
      updated_at = now()
  ),
  tally as (
    -- Grouped rather than joined: linear whatever the planner believes of the number of orders.
    select
      t.order_no,
      max(t.canonical_symbol) as canonical_symbol,
      max(t.timeframe) as timeframe,
      max(t.source_timeframe) as source_timeframe,
      max(t.window_length) as window_length,
      max(t.from_utc) as from_utc,
      max(t.to_utc) as to_utc,
      max(t.frontier_utc) as frontier_utc,
      max(t.clock_utc) as clock_utc,
      bool_or(t.is_rebuild) as is_rebuild,
      count(t.ts_utc)::integer as windows,
      count(t.quality_score)::integer as bars,
      count(*) filter (where t.quality_score = 0)::integer as bars_poor,
      count(*) filter (where t.change = 'insert')::integer as inserted,
      count(*) filter (where t.change = 'update')::integer as updated,
      count(*) filter (where t.change = 'remove')::integer as removed,
      count(t.ts_utc) >= max(t.max_windows) as is_full,
      coalesce(max(t.ts_utc) + max(t.window_length), max(t.from_utc)) as filled_to_utc
    from (
      select
        o.ordinality as order_no, o.canonical_symbol, o.timeframe, o.source_timeframe, o.window_length,
        o.from_utc, o.to_utc, o.frontier_utc, o.clock_utc, o.max_windows, o.is_rebuild,
        null::timestamptz as ts_utc, null::smallint as quality_score, null::text as change
      from unnest(p_orders) with ordinality as o
      where o.source_timeframe is not null
      union all
      select
        w.order_no, null, null, null, null, null, null, null, null, null, null,
        case when w.change is distinct from 'remove' then w.ts_utc end,
        case when w.change is distinct from 'remove' then w.quality_score end,
        w.change
      from window_bar as w
    ) as t
    group by t.order_no
  )
  select
    t.canonical_symbol, t.timeframe, t.window_length, t.from_utc, t.to_utc, t.frontier_utc,
    t.windows, t.bars, t.bars_poor, t.inserted, t.updated, t.removed,
    t.is_full and e.decided_to_utc < t.to_utc, e.decided_to_utc, t.is_rebuild, null::text, null::text
  from tally as t
  cross join lateral (
    select case
      when t.is_full or t.filled_to_utc = t.to_utc then t.filled_to_utc
      when t.clock_utc is null then t.to_utc
      -- One probe: the last source bar makes the empty windows before it a gap.
      else least(t.to_utc, coalesce((
        select date_bin(t.window_length, c.ts_utc, timestamptz '2000-01-01 00:00:00+00') + t.window_length
        from agg.source_bar as c
        where c.canonical_symbol = t.canonical_symbol and c.timeframe = t.source_timeframe
          and c.ts_utc >= t.filled_to_utc and c.ts_utc < t.clock_utc and c.deleted_at is null
        order by c.ts_utc desc
        limit 1
      ), t.filled_to_utc))
    end
    offset 0
  ) as e (decided_to_utc);
end;
$$;

revoke execute on function agg.compare_windows(agg.build_order[]) from public, anon, authenticated, service_role;
revoke execute on function agg.build_windows(agg.build_order[]) from public, anon, authenticated, service_role;

comment on function agg.compare_windows(agg.build_order[]) is
  'The one rule that turns source bars into bars, for every order, of any number of tasks and windows, in one statement: each window that has source bars, with the bar it makes and how that differs from what is stored, and each stored bar that nothing makes any more. Writes nothing.';
comment on function agg.build_windows(agg.build_order[]) is
  'Stores what agg.compare_windows finds: writes only what differs, and soft-deletes bars of decided windows that no longer qualify. Orders of one task must not overlap, and the caller has locked its row: two builders of one window would meet in a unique_violation. A result row for each order with a source_timeframe.';
