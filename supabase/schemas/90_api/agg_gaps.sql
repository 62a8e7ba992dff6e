comment on function public.agg_gaps is
'Lists the gaps that a task has stepped over: runs of decided windows without a source bar.
[p_from_utc, p_to_utc), aligned to the timeframe, limits the range; null: without bound. For a synthetic 1m task: minutes without a bar of the series. No row for an unknown task. Reads only.';

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
      t.duration,
      s.source_timeframe,
      greatest(agg.bootstrap_cursor(s.agg_start_utc, t.duration) + t.duration, p_from_utc) as from_utc,
      least(s.decided_to_utc, p_to_utc) as to_utc
    from agg.task as s
    join agg.timeframe as t on t.timeframe = s.timeframe
    where s.canonical_symbol = p_symbol and s.timeframe = p_timeframe
  ),
  filled as (
    select distinct date_bin(t.duration, b.ts_utc, timestamptz '2000-01-01 00:00:00+00') as ts_utc
    from task as t
    join agg.source_bar as b
      on b.canonical_symbol = p_symbol and b.timeframe = t.source_timeframe
      and b.ts_utc >= t.from_utc and b.ts_utc < t.to_utc and b.deleted_at is null
  ),
  edge as (
    select f.ts_utc + t.duration as gap_from_utc, lead(f.ts_utc, 1, t.to_utc) over (order by f.ts_utc) as gap_to_utc, t.duration
    from (
      select f.ts_utc from filled as f
      union all
      select t.from_utc - t.duration from task as t
    ) as f
    cross join task as t
  )
  select
    e.gap_from_utc, e.gap_to_utc,
    extract(epoch from e.gap_to_utc - e.gap_from_utc)::bigint / extract(epoch from e.duration)::bigint
  from edge as e
  where e.gap_to_utc > e.gap_from_utc
  order by e.gap_from_utc;
$$;
