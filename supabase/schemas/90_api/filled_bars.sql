comment on function agg.filled_bars is
  'get_bars of one symbol, with windows that are not decided yet (p_forming) and windows without a bar (p_fill): the first p_limit rows from p_from on, or where p_is_newest the last ones before p_to. Runs with the rights of the caller.';

create function agg.filled_bars(
  p_symbol text,
  p_timeframe text,
  p_from timestamptz,
  p_to timestamptz,
  p_limit integer,
  p_is_newest boolean,
  p_fill boolean,
  p_forming boolean,
  p_as_of timestamptz
)
returns table (
  ts_utc timestamptz,
  open double precision,
  high double precision,
  low double precision,
  close double precision,
  vol double precision,
  vwap double precision,
  trade_count bigint,
  quality_score smallint,
  covered_minutes integer,
  expected_minutes integer,
  is_partial boolean,
  is_filled boolean,
  is_forming boolean,
  updated_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  v_series record;
  v_length interval;
  -- Null: nothing is said to be decided.
  v_cursor_utc timestamptz;
begin
  select r.* into v_series
  from agg.readable_series as r
  where r.canonical_symbol = p_symbol and (r.timeframe = p_timeframe or p_timeframe = '1m')
  order by r.timeframe = p_timeframe desc, r.timeframe
  limit 1;
  -- The session is that of the asset. Minutes that are ingested have no task.
  if v_series.timeframe = p_timeframe then
    v_length := make_interval(mins => v_series.run_interval_minutes);
    v_cursor_utc := v_series.cursor_utc;
  else
    v_length := case when v_series.timeframe is not null then interval '1 minute' end;
    v_series.window_time_zone := null;
    v_series.window_origin := timestamp '2000-01-03 00:00:00';
  end if;

  return query
  with stored as materialized (
    select b.*
    from public.get_bars(array[p_symbol], p_timeframe, case when not p_is_newest then p_from end, p_to, p_limit, p_as_of => p_as_of) as b
  ),
  forming as materialized (
    select w.starts_utc, f.*
    from agg.open_windows(
      v_length, v_series.window_time_zone, v_series.window_origin, v_series.session_time_zone, v_series.session_minutes, v_series.calendar,
      greatest(v_cursor_utc + interval '1 microsecond', p_from),
      least(p_to, (
        select m.ts_utc + interval '1 microsecond'
        from public.data_bars as m
        where m.canonical_symbol = p_symbol and m.timeframe = '1m'
        order by m.ts_utc desc
        limit 1
      ))
    ) as w
    cross join lateral (
      select
        (array_agg(m.open order by m.ts_utc))[1] as open, max(m.high) as high, min(m.low) as low,
        (array_agg(m.close order by m.ts_utc))[count(*)] as close, sum(m.vol order by m.ts_utc) as vol,
        sum(m.vwap * m.vol order by m.ts_utc) filter (where m.vol > 0 and m.vwap is not null)
          / sum(m.vol order by m.ts_utc) filter (where m.vol > 0 and m.vwap is not null) as vwap,
        sum(m.trade_count)::bigint as trade_count, count(*)::integer as covered_minutes, max(m.updated_at) as updated_at
      from public.data_bars as m
      where m.canonical_symbol = p_symbol and m.timeframe = '1m' and m.ts_utc >= w.starts_utc and m.ts_utc < w.ends_utc
        and (w.open is null or w.open @> m.ts_utc)
    ) as f
    where p_forming and p_timeframe <> '1m' and v_cursor_utc is not null and f.covered_minutes > 0
      -- Built ahead of the cursor.
      and not exists (select from stored as s where s.ts_utc = w.starts_utc)
    order by case when p_is_newest then w.starts_utc end desc, w.starts_utc
    limit p_limit
  ),
  bar as materialized (
    select
      s.ts_utc, s.open, s.high, s.low, s.close, s.vol, s.vwap, s.trade_count, s.quality_score, s.covered_minutes, s.expected_minutes,
      s.is_partial, false as is_forming, s.updated_at
    from stored as s
    union all
    select
      f.starts_utc, f.open, f.high, f.low, f.close, f.vol, f.vwap, f.trade_count, null, f.covered_minutes, null, true, true, f.updated_at
    from forming as f
  ),
  -- Whose close the first windows have.
  previous as materialized (
    select p.ts_utc, p.close
    from (
      select b.ts_utc, b.close
      from public.get_bars(array[p_symbol], p_timeframe, null, p_from, 1, p_as_of => p_as_of) as b
      union all
      select w.starts_utc, c.close
      from agg.open_windows(
        v_length, v_series.window_time_zone, v_series.window_origin, v_series.session_time_zone, v_series.session_minutes, v_series.calendar,
        v_cursor_utc + interval '1 microsecond', p_from
      ) as w
      cross join lateral (
        select m.close
        from public.data_bars as m
        where m.canonical_symbol = p_symbol and m.timeframe = '1m' and m.ts_utc >= w.starts_utc and m.ts_utc < w.ends_utc
          and (w.open is null or w.open @> m.ts_utc)
        order by m.ts_utc desc
        limit 1
      ) as c
      where p_forming and p_timeframe <> '1m' and v_cursor_utc < p_from
    ) as p
    where p_fill and not p_is_newest
    order by p.ts_utc desc
    limit 1
  ),
  span as materialized (
    select
      case when exists (select from previous) then p_from else (select min(b.ts_utc) from bar as b) end as from_utc,
      least(p_to, interval '1 microsecond' + greatest(
        case when p_as_of is null then v_cursor_utc end,
        (select max(f.starts_utc) from forming as f),
        (select b.ts_utc from public.get_bars(array[p_symbol], p_timeframe, null, null, 1, p_as_of => p_as_of) as b)
      )) as to_utc
    where p_fill
  ),
  filled as (
    select w.starts_utc
    from span as s
    cross join lateral agg.open_windows(
      v_length, v_series.window_time_zone, v_series.window_origin, v_series.session_time_zone, v_series.session_minutes, v_series.calendar,
      s.from_utc, s.to_utc, p_limit, p_is_newest
    ) as w
    where s.from_utc is not null and not exists (select from bar as b where b.ts_utc = w.starts_utc)
  ),
  -- A run is a bar with the windows behind it that have none.
  merged as (
    select m.*, count(m.close) over (order by m.ts_utc) as run
    from (
      select b.*, false as is_filled from bar as b
      union all
      select f.starts_utc, null, null, null, null, 0, null, 0, null, 0, null, false, false, null, true from filled as f
      union all
      select p.ts_utc, null, null, null, p.close, null, null, null, null, null, null, null, null, null, null from previous as p
    ) as m
  )
  select
    m.ts_utc, coalesce(m.open, m.last_close), coalesce(m.high, m.last_close), coalesce(m.low, m.last_close), m.last_close,
    m.vol, m.vwap, m.trade_count, m.quality_score, m.covered_minutes, m.expected_minutes, m.is_partial, m.is_filled, m.is_forming, m.updated_at
  from (
    select c.*, first_value(c.close) over (partition by c.run order by c.ts_utc) as last_close from merged as c
  ) as m
  where m.is_filled is not null and m.run > 0
  order by case when p_is_newest then m.ts_utc end desc, m.ts_utc
  limit p_limit;
end;
$$;
