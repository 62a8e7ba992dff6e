comment on function agg.check_bars is
  'The checks bars and quality of agg_check: a row PASS for each, and a row for each subject that does not pass.';

create function agg.check_bars(p_now timestamptz)
returns table (check_name text, subject text, status text, value text, hint text)
language sql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
  -- Once for all tasks with the same windows and the same market: the last window that a dispatcher should have decided, which
  -- has a minute for that.
  with grid as materialized (
    select
      g.timeframe, g.window_length, g.symbols, g.starts, w.starts_utc, e.ends_utc,
      agg.open_spans(g.session_time_zone, g.session_minutes, g.calendar, w.starts_utc, e.ends_utc) <> '{}' as is_open
    from (
      select
        t.timeframe, t.window_length, t.aggregation_delay_seconds, t.window_time_zone, t.window_origin,
        t.session_time_zone, t.session_minutes, t.calendar,
        array_agg(t.canonical_symbol) as symbols, array_agg(t.agg_start_utc) as starts
      from agg.task as t
      -- Of a sparse market no bar is missed, and no bar is poor.
      where t.enabled and t.source_timeframe <> t.timeframe and t.poor_percent > 0
      group by
        t.timeframe, t.window_length, t.aggregation_delay_seconds, t.window_time_zone, t.window_origin,
        t.session_time_zone, t.session_minutes, t.calendar
    ) as g
    cross join lateral (
      select agg.window_start(
        p_now - make_interval(secs => g.aggregation_delay_seconds + 60), g.window_length, g.window_time_zone, g.window_origin
      )
      offset 0
    ) as e (ends_utc)
    cross join lateral (
      select agg.window_start(e.ends_utc - interval '1 microsecond', g.window_length, g.window_time_zone, g.window_origin)
      offset 0
    ) as w (starts_utc)
  ),
  asset as materialized (
    select g.timeframe, s.symbol, g.is_open, g.starts_utc, g.ends_utc, g.ends_utc - 24 * g.window_length as since_utc, s.start_utc
    from grid as g
    cross join lateral unnest(g.symbols, g.starts) as s (symbol, start_utc)
  ),
  missing as materialized (
    select a.symbol, a.timeframe, a.starts_utc
    from asset as a
    left join lateral (
      -- A probe of the key for each.
      select true as is_there
      from public.derived_data_bars as d
      where d.canonical_symbol = a.symbol and d.timeframe = a.timeframe and d.ts_utc >= a.starts_utc and d.ts_utc <= p_now
        and d.deleted_at is null
      limit 1
    ) as b on true
    where a.is_open and a.start_utc <= a.starts_utc and b.is_there is null
  ),
  scored as (
    select a.timeframe, a.symbol, q.bars, q.poor
    from asset as a
    cross join lateral (
      select count(*) as bars, count(*) filter (where d.quality_score = 0) as poor
      from public.derived_data_bars as d
      where d.canonical_symbol = a.symbol and d.timeframe = a.timeframe and d.ts_utc >= a.since_utc and d.ts_utc < a.ends_utc
        and d.deleted_at is null
      offset 0
    ) as q
  ),
  quality as (
    select
      s.timeframe, sum(s.bars) as bars, sum(s.poor) as poor,
      (array_agg(s.symbol order by s.poor desc, s.symbol) filter (where s.poor > 0))[:3] as worst
    from scored as s
    group by s.timeframe
  )
  select
    'bars', '*', 'PASS',
    format('%s tasks up to date, the market of %s is closed', count(*) filter (where a.is_open), count(*) filter (where not a.is_open)), null
  from asset as a
  union all
  select
    'bars', m.symbol || ' ' || m.timeframe,
    case when h.state in ('never_ran', 'overdue', 'hard_failed', 'disabled') then 'FAIL' else 'WARN' end,
    format('no bar of %s or later, the last is %s', m.starts_utc, coalesce(l.ts_utc::text, 'none')),
    case
      when h.state in ('current', 'market_closed') then format('too few minutes for a bar; the minutes are in data_bars from %s on', m.starts_utc)
      else h.state || ': ' || h.explanation
    end
  from missing as m
  -- Not asked where no bar is missing.
  join (
    select a.* from public.agg_health(p_now) as a where exists (select from missing)
  ) as h on h.canonical_symbol = m.symbol and h.timeframe = m.timeframe
  left join lateral (
    select d.ts_utc
    from public.derived_data_bars as d
    where d.canonical_symbol = m.symbol and d.timeframe = m.timeframe and d.ts_utc <= p_now and d.deleted_at is null
    order by d.ts_utc desc
    limit 1
  ) as l on true
  union all
  select
    'quality', '*', 'PASS',
    coalesce(string_agg(format('%s: %s %% of %s bars', q.timeframe, trunc(100 - 100 * q.poor / q.bars, 1), q.bars), ', ' order by q.timeframe), 'no bars'),
    null
  from quality as q
  where q.bars > 0
  union all
  select
    'quality', q.timeframe, 'WARN', format('%s %% of %s bars are good', trunc(100 - 100 * q.poor / q.bars, 1), q.bars),
    format('minutes are missing, most of all of %s; metadata.agg.sparse is for markets with minutes without a trade', array_to_string(q.worst, ', '))
  from quality as q
  where q.bars > 0 and q.poor > 0.05 * q.bars;
$$;
