comment on function public.agg_gaps is
'Lists the gaps that a task has stepped over: runs of decided windows without a source bar.
[p_from_utc, p_to_utc), aligned to the timeframe, limits the range; null: without bound. Windows in which session and calendar are closed are in no gap. For a synthetic 1m task: minutes without a bar of the series. No row for an unknown task. Reads only.';

create function public.agg_gaps(
  p_symbol text, p_timeframe text, p_from_utc timestamptz default null, p_to_utc timestamptz default null
)
returns table (gap_from_utc timestamptz, gap_to_utc timestamptz, windows bigint)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  with task as (
    select
      s.window_length, s.window_time_zone, s.window_origin, s.source_timeframe,
      s.session_time_zone, s.session_minutes, s.calendar,
      greatest(
        agg.window_end(
          agg.bootstrap_cursor(s.agg_start_utc, s.window_length, s.window_time_zone, s.window_origin),
          s.window_length, s.window_time_zone, s.window_origin
        ),
        p_from_utc
      ) as from_utc,
      least(s.decided_to_utc, p_to_utc) as to_utc
    from agg.task as s
    where s.canonical_symbol = p_symbol and s.timeframe = p_timeframe
  ),
  -- Null: all of it.
  market as materialized (
    select case
      when t.session_minutes is not null or t.calendar is not null
        then agg.open_spans(t.session_time_zone, t.session_minutes, t.calendar, t.from_utc, t.to_utc)
    end as open
    from task as t
    where t.from_utc < t.to_utc
  ),
  filled as (
    select distinct agg.window_start(b.ts_utc, t.window_length, t.window_time_zone, t.window_origin) as ts_utc
    from task as t
    cross join market as m
    join agg.source_bar as b
      on b.canonical_symbol = p_symbol and b.timeframe = t.source_timeframe
      and b.ts_utc >= t.from_utc and b.ts_utc < t.to_utc and b.covered_minutes > 0
    -- Minutes outside the session are in no bar.
    where m.open is null or t.source_timeframe <> '1m' or m.open @> b.ts_utc
  ),
  edge as (
    select f.ends_utc as gap_from_utc, lead(f.ts_utc, 1, t.to_utc) over (order by f.ts_utc, f.ends_utc) as gap_to_utc
    from (
      select f.ts_utc, agg.window_end(f.ts_utc, t.window_length, t.window_time_zone, t.window_origin) as ends_utc
      from filled as f
      cross join task as t
      union all
      select t.from_utc, t.from_utc from task as t
    ) as f
    cross join task as t
  ),
  -- Windows with an open minute. Those that are closed neither are a gap nor divide one.
  missing as (
    select tstzmultirange(tstzrange(e.gap_from_utc, e.gap_to_utc)) as gap, w.starts_utc, w.ends_utc
    from edge as e
    cross join task as t
    cross join lateral agg.windows_between(e.gap_from_utc, e.gap_to_utc, t.window_length, t.window_time_zone, t.window_origin) as w
    cross join market as m
    where e.gap_from_utc < e.gap_to_utc and (m.open is null or m.open && tstzrange(w.starts_utc, w.ends_utc))
  )
  select min(m.starts_utc), max(m.ends_utc), count(*)
  from missing as m
  group by m.gap
  order by 1;
$$;
