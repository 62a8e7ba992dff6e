comment on function agg.poor_series is
'Series of which less than 95 % of the windows of the day up to p_now that have a minute have a good bar, in the shortest timeframe that is built from minutes. At least 20 windows are asked for; of a sparse market no bar is poor.';

create function agg.poor_series(p_now timestamptz)
returns table (canonical_symbol text, timeframe text, windows bigint, good bigint)
language sql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
  select t.canonical_symbol, t.timeframe, q.windows, q.good
  from (
    select distinct on (s.canonical_symbol) s.canonical_symbol, s.timeframe, s.poor_percent
    from public.data_agg_state as s
    where s.enabled and s.source_timeframe = '1m' and s.timeframe <> '1m'
    order by s.canonical_symbol, s.run_interval_minutes
  ) as t
  cross join lateral (
    -- A window with too few minutes for a bar has a row that is deleted.
    select count(*) as windows, count(*) filter (where d.quality_score >= 1 and d.deleted_at is null) as good
    from public.derived_data_bars as d
    where d.canonical_symbol = t.canonical_symbol and d.timeframe = t.timeframe
      and d.ts_utc >= p_now - interval '1 day' and d.ts_utc < p_now and d.covered_minutes > 0
    offset 0
  ) as q
  where t.poor_percent > 0 and q.windows >= 20 and q.good < 0.95 * q.windows;
$$;
