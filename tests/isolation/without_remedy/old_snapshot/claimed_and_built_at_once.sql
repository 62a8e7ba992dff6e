-- One statement claims and builds, so that it builds from the snapshot that it took before the claim.
-- It reads the registry in a function, so that it waits for the blocker after it took its snapshot.
create function tests.reads_registry() returns boolean
language plpgsql
stable
as $$
begin
  return exists (select from public.core_asset_registry_all);
end;
$$;

drop function agg.claim_due_tasks;
create function agg.claim_due_tasks(
  p_env text, p_limit integer, p_now timestamptz, p_lanes integer, out timeframe text, out symbols text[]
)
returns record
language sql
volatile
set search_path = ''
as $$
  with claimed as materialized (
    select s.*
    from agg.runnable_task as s
    where s.next_run_at <= p_now and s.timeframe = '5m'
      and tests.reads_registry()
    limit p_limit
    for update of s skip locked
  ),
  window_bar as materialized (
    select w.*
    from agg.compare_windows(array(
      select o
      from claimed as c
      cross join lateral agg.plan_builds(array[c.canonical_symbol], '5m', p_now, null, 1, true, c.last_agg_bar_ts_utc) as o
    )) as w
  ),
  stored as (
    insert into public.derived_data_bars (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe,
      source_candles, expected_candles, covered_minutes, expected_minutes, quality_score
    )
    select
      w.canonical_symbol, w.timeframe, w.ts_utc, w.open, w.high, w.low, w.close, w.source_timeframe,
      w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes, w.quality_score
    from window_bar as w
    where w.change = 'insert'
  ),
  finished as (
    update public.data_agg_state as s
    set last_agg_bar_ts_utc = w.cursor_utc
    from (select w.canonical_symbol, w.timeframe, max(w.ts_utc) as cursor_utc from window_bar as w group by 1, 2) as w
    where s.canonical_symbol = w.canonical_symbol and s.timeframe = w.timeframe
  )
  select null::text, '{}'::text[];
$$;
