comment on function public.agg_bar_versions is
'Lists what the bars of one series have been that changed after they were built: for each such window in [p_from, p_to) every version, the newest window first, and the versions of a window by time.
A version was stored from written_at up to replaced_at; null: it is what is stored now. reason says why the next version replaced it, as in agg_changes. is_bar: false where there was no bar. 1m has no versions.
p_limit: at most so many rows; null for all. A page may end within a window.
Runs with the rights of the caller, as agg_changes does, and reads only.';

create function public.agg_bar_versions(
  p_symbol text, p_timeframe text, p_from timestamptz, p_to timestamptz default null, p_limit integer default 1000
)
returns table (
  ts_utc timestamptz,
  written_at timestamptz,
  replaced_at timestamptz,
  reason text,
  is_bar boolean,
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
  is_partial boolean
)
language sql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
  select
    v.ts_utc, v.written_at, v.replaced_at, v.reason, v.deleted_at is null, v.open, v.high, v.low, v.close, v.vol, v.vwap, v.trade_count,
    v.quality_score, v.covered_minutes, v.expected_minutes, v.is_partial
  from (
    select
      r.ts_utc, r.written_at, r.replaced_at, r.reason, r.deleted_at, r.open, r.high, r.low, r.close, r.vol, r.vwap, r.trade_count,
      r.quality_score, r.covered_minutes, r.expected_minutes, r.is_partial
    from public.derived_data_bars_revision as r
    where r.canonical_symbol = p_symbol and r.timeframe = p_timeframe and r.ts_utc >= p_from and r.ts_utc < coalesce(p_to, 'infinity')
    union all
    select
      d.ts_utc, d.updated_at, null, null, d.deleted_at, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
      d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial
    from (
      select distinct r.ts_utc
      from public.derived_data_bars_revision as r
      where r.canonical_symbol = p_symbol and r.timeframe = p_timeframe and r.ts_utc >= p_from and r.ts_utc < coalesce(p_to, 'infinity')
    ) as w
    join public.derived_data_bars as d on d.canonical_symbol = p_symbol and d.timeframe = p_timeframe and d.ts_utc = w.ts_utc
  ) as v
  order by v.ts_utc desc, v.written_at
  limit p_limit;
$$;
