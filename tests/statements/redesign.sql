-- The statements of the plan that made the registry decide what is aggregated, as they stand there. `name` is the part;
-- `corrected` says what is changed, and why.

-- name: 5 sync
SELECT sync_agg_state_from_registry('prod', '2025-07-01 00:00:00+00');

-- name: 5 cursors
UPDATE data_agg_state
SET 
  last_agg_bar_ts_utc = agg_start_utc - (run_interval_minutes || ' minutes')::interval,
  status = 'idle',
  next_run_at = NOW(),
  updated_at = NOW()
WHERE last_agg_bar_ts_utc IS NULL
   OR last_agg_bar_ts_utc < agg_start_utc - (run_interval_minutes || ' minutes')::interval
-- corrected: only this line is new, to count what the statement changes
RETURNING canonical_symbol;

-- name: 5 mandatory
UPDATE data_agg_state
SET is_mandatory = true
WHERE timeframe IN ('5m', '1h');

-- name: 5 every asset
SELECT 
  a.canonical_symbol,
  COUNT(CASE WHEN s.timeframe = '5m' THEN 1 END) AS has_5m,
  COUNT(CASE WHEN s.timeframe = '1h' THEN 1 END) AS has_1h
FROM core_asset_registry_all a
LEFT JOIN data_agg_state s USING (canonical_symbol)
WHERE a.is_active = true
GROUP BY a.canonical_symbol
HAVING COUNT(CASE WHEN s.timeframe = '5m' THEN 1 END) = 0
    OR COUNT(CASE WHEN s.timeframe = '1h' THEN 1 END) = 0;

-- name: 5 positions
SELECT 
  canonical_symbol,
  timeframe,
  agg_start_utc,
  last_agg_bar_ts_utc AS cursor,
  status,
  is_mandatory
FROM data_agg_state
WHERE enabled = true
ORDER BY canonical_symbol, timeframe;

-- name: 6.1 dry run
SELECT sync_agg_state_from_registry('prod', '2025-07-01 00:00:00+00');

-- name: 6.1 tasks
SELECT canonical_symbol, timeframe, is_mandatory, agg_start_utc
FROM data_agg_state
ORDER BY canonical_symbol, timeframe;

-- name: 6.1 bootstrap
SELECT agg_bootstrap_cursor('EURUSD', '5m');

-- name: 6.1 cursor
SELECT last_agg_bar_ts_utc FROM data_agg_state 
WHERE canonical_symbol='EURUSD' AND timeframe='5m';

-- name: 6.1 single table
SELECT COUNT(*) FROM data_bars 
WHERE canonical_symbol='DXY' AND timeframe='1m';

-- name: 6.1 no union
SELECT COUNT(*) FROM derived_data_bars 
WHERE canonical_symbol='DXY' AND timeframe='1m' AND deleted_at IS NULL;

-- name: 6.2 manual
SELECT aggregate_1m_to_5m_window(
  'DXY',
  '2026-01-13 10:00:00+00'::timestamptz,
  '2026-01-13 10:05:00+00'::timestamptz,
  1
);

-- name: 6.2 catchup
SELECT catchup_aggregation_range(
  'DXY',
  '5m',
  '2026-01-13 09:00:00+00'::timestamptz,
  12,  -- 1 hour of windows
  NOW(),
  1,
  true
);

-- name: 6.2 priority
SELECT * FROM agg_get_due_tasks('prod', 20);

-- name: 6.3 monitor
SELECT 
  canonical_symbol,
  timeframe,
  total_runs,
  total_bars_created,
  last_successful_at_utc,
  last_error
FROM data_agg_state
WHERE total_runs > 0
ORDER BY canonical_symbol, timeframe;
