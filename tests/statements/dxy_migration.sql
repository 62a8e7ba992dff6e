-- The statements of the plan that moved the 1m bars of DXY into data_bars, as they stand there. `name` is the section;
-- `corrected` says what is changed, and why.

-- name: 1.1 state
SELECT 
  'data_bars' as table_name,
  COUNT(*) as rows,
  COUNT(*) FILTER (WHERE canonical_symbol='DXY' AND timeframe='1m') as dxy_1m
FROM data_bars

UNION ALL

SELECT 
  'derived_data_bars',
  COUNT(*),
  COUNT(*) FILTER (WHERE canonical_symbol='DXY' AND timeframe='1m' AND deleted_at IS NULL)
FROM derived_data_bars;

-- name: 1.3 snapshot
CREATE TEMPORARY TABLE pre_migration_snapshot AS
SELECT 
  'data_bars' as table_name,
  canonical_symbol,
  timeframe,
  COUNT(*) as row_count,
  MIN(ts_utc) as earliest,
  MAX(ts_utc) as latest,
  COUNT(*) FILTER (WHERE source='massive') as source_massive,
  COUNT(*) FILTER (WHERE source='ingest') as source_ingest
FROM data_bars
WHERE canonical_symbol IN ('DXY', 'EURUSD', 'USDJPY')
GROUP BY 1, canonical_symbol, timeframe

UNION ALL

SELECT 
  'derived_data_bars',
  canonical_symbol,
  timeframe,
  COUNT(*),
  MIN(ts_utc),
  MAX(ts_utc),
  0,
  0
FROM derived_data_bars
WHERE canonical_symbol IN ('DXY', 'EURUSD', 'USDJPY')
  AND deleted_at IS NULL
GROUP BY 1, canonical_symbol, timeframe;

-- name: 1.4 uniqueness
-- corrected: the constraint is the primary key, whose name has no "unique" in it
SELECT constraint_name, table_name, column_name
FROM information_schema.key_column_usage
WHERE table_name = 'data_bars'
  AND constraint_name LIKE '%pkey%';

-- name: 1.4 source
-- corrected: information_schema.check_constraints has neither table_name nor constraint_definition
SELECT constraint_name, check_clause
FROM information_schema.check_constraints
JOIN information_schema.table_constraints USING (constraint_schema, constraint_name)
WHERE table_name = 'data_bars'
  AND constraint_name LIKE '%source%';

-- name: 2.3 registry
INSERT INTO core_asset_registry_all (
  canonical_symbol,
  asset_class,
  description,
  active,
  test_active,
  metadata,
  created_at,
  updated_at
) VALUES (
  'DXY',
  'currency_index',
  'US Dollar Index - derived from 6 FX pairs (EURUSD, USDJPY, GBPUSD, USDCAD, USDSEK, USDCHF)',
  true,
  true,
  jsonb_build_object(
    'is_synthetic', true,
    'data_location', 'data_bars',
    'base_timeframe', '1m',
    'derivation_method', 'calc_dxy_range_1m',
    'derivation_formula', 'logarithmic_weighted_geometric_mean',
    'components', jsonb_build_array('EURUSD', 'USDJPY', 'GBPUSD', 'USDCAD', 'USDSEK', 'USDCHF'),
    'component_weights', jsonb_build_object(
      'EURUSD', -0.576,
      'USDJPY', 0.136,
      'GBPUSD', -0.119,
      'USDCAD', 0.091,
      'USDSEK', 0.042,
      'USDCHF', 0.036
    ),
    'derived_timeframes', jsonb_build_array('5m', '1h'),
    'migration_date', CURRENT_DATE,
    'migration_version', 1
  ),
  NOW(),
  NOW()
)
ON CONFLICT (canonical_symbol)
DO UPDATE SET
  description = EXCLUDED.description,
  metadata = EXCLUDED.metadata,
  updated_at = NOW();

-- name: 3.1 counts
-- corrected: the counts differ as soon as new bars are written; every bar of before must be there, and equal
SELECT COUNT(*)
FROM derived_data_bars d
LEFT JOIN data_bars b
  ON b.canonical_symbol = d.canonical_symbol AND b.timeframe = d.timeframe AND b.ts_utc = d.ts_utc AND b.close = d.close
WHERE d.canonical_symbol = 'DXY' 
  AND d.timeframe = '1m'
  AND d.deleted_at IS NULL
  AND b.ts_utc IS NULL;

-- name: 3.2 verification
-- Check 1: DXY 1m exists in data_bars
SELECT 'data_bars 1m count' as check_name,
       COUNT(*) as value,
       'bars' as unit
FROM data_bars
WHERE canonical_symbol = 'DXY' AND timeframe = '1m'

UNION ALL

-- Check 2: Data range
SELECT 'data_bars 1m date range',
       EXTRACT(DAY FROM (MAX(ts_utc) - MIN(ts_utc))),
       'days'
FROM data_bars
WHERE canonical_symbol = 'DXY' AND timeframe = '1m'

UNION ALL

-- Check 3: Source field
SELECT 'synthetic source count',
       COUNT(*),
       'bars'
FROM data_bars
WHERE canonical_symbol = 'DXY' AND timeframe = '1m' AND source = 'synthetic'

UNION ALL

-- Check 4: Price reasonableness
SELECT 'DXY price range (min)',
       ROUND(MIN(close)::numeric, 2),
       'index points'
FROM data_bars
WHERE canonical_symbol = 'DXY' AND timeframe = '1m'

UNION ALL

SELECT 'DXY price range (max)',
       ROUND(MAX(close)::numeric, 2),
       'index points'
FROM data_bars
WHERE canonical_symbol = 'DXY' AND timeframe = '1m'

UNION ALL

-- Check 5: Old location (should be empty or deleted)
SELECT 'derived_data_bars active DXY 1m',
       COUNT(*),
       'bars'
FROM derived_data_bars
WHERE canonical_symbol = 'DXY' AND timeframe = '1m' AND deleted_at IS NULL;

-- name: 3.2 details
SELECT 
  'DXY 1m bars in data_bars' as metric,
  COUNT(*) as count,
  MIN(ts_utc) as earliest,
  MAX(ts_utc) as latest
FROM data_bars
WHERE canonical_symbol = 'DXY' AND timeframe = '1m'

UNION ALL

SELECT 
  'DXY 1m bars in derived (active)',
  COUNT(*),
  MIN(ts_utc),
  MAX(ts_utc)
FROM derived_data_bars
WHERE canonical_symbol = 'DXY' AND timeframe = '1m' AND deleted_at IS NULL

UNION ALL

SELECT 
  'DXY 1m bars in derived (deleted)',
  COUNT(*),
  MIN(ts_utc),
  MAX(ts_utc)
FROM derived_data_bars
WHERE canonical_symbol = 'DXY' AND timeframe = '1m' AND deleted_at IS NOT NULL;

-- name: 4.2 aggregator
-- corrected: $1 for the first %s of the Python driver, and so on
SELECT ts_utc, open, high, low, close, vol, vwap, trade_count
FROM data_bars
WHERE canonical_symbol = $1
  AND timeframe = '1m'
  AND ts_utc >= $2
  AND ts_utc < $3
ORDER BY ts_utc

-- name: 5.1 written
-- corrected: $1 and $2 for %s
SELECT COUNT(*) FROM data_bars WHERE canonical_symbol='DXY' AND timeframe='1m' AND ts_utc >= $1 AND ts_utc < $2

-- name: 5.2 step 1
WITH fx_check AS (
  SELECT 
    canonical_symbol,
    COUNT(*) as bars,
    MAX(ts_utc) as latest
  FROM data_bars
  WHERE canonical_symbol IN ('EURUSD', 'USDJPY', 'GBPUSD', 'USDCAD', 'USDSEK', 'USDCHF')
    AND timeframe = '1m'
    AND ts_utc >= NOW() AT TIME ZONE 'UTC' - INTERVAL '1 hour'
  GROUP BY canonical_symbol
)
SELECT * FROM fx_check;

-- name: 5.2 step 2
SELECT calc_dxy_range_1m(
  NOW() AT TIME ZONE 'UTC' - INTERVAL '1 hour',
  NOW() AT TIME ZONE 'UTC',
  1
) as derivation_result;

-- name: 5.2 step 3
SELECT 
  COUNT(*) as new_dxy_bars,
  MIN(ts_utc) as earliest,
  MAX(ts_utc) as latest
FROM data_bars
WHERE canonical_symbol = 'DXY'
  AND timeframe = '1m'
  AND ts_utc >= NOW() AT TIME ZONE 'UTC' - INTERVAL '1 hour';

-- name: 5.2 step 4
SELECT 
  ts_utc,
  open, high, low, close, vol
FROM data_bars
WHERE canonical_symbol = 'DXY'
  AND timeframe = '1m'
  AND ts_utc >= NOW() AT TIME ZONE 'UTC' - INTERVAL '1 hour'
ORDER BY ts_utc DESC
LIMIT 5;

-- name: 6.1 new bars
SELECT COUNT(*), MAX(ts_utc)
  FROM data_bars
  WHERE canonical_symbol='DXY' AND timeframe='1m'
    AND ts_utc > NOW() - INTERVAL '5 minutes';

-- name: 6.2 check 1
SELECT 
  'DXY 1m in last 5m' as metric,
  COUNT(*) as bar_count,
  CASE 
    WHEN COUNT(*) >= 3 THEN 'PASS (fresh)'
    WHEN COUNT(*) >= 1 THEN 'WARN (partial)'
    ELSE 'FAIL (stale)'
  END as status
FROM data_bars
WHERE canonical_symbol = 'DXY'
  AND timeframe = '1m'
  AND ts_utc > NOW() AT TIME ZONE 'UTC' - INTERVAL '5 minutes';

-- name: 6.2 check 2
SELECT 
  'FX components' as metric,
  COUNT(DISTINCT canonical_symbol) as pairs_present,
  CASE WHEN COUNT(DISTINCT canonical_symbol) = 6 THEN 'PASS' ELSE 'WARN' END as status
FROM data_bars
WHERE canonical_symbol IN ('EURUSD', 'USDJPY', 'GBPUSD', 'USDCAD', 'USDSEK', 'USDCHF')
  AND timeframe = '1m'
  AND ts_utc > NOW() AT TIME ZONE 'UTC' - INTERVAL '5 minutes';

-- name: 6.2 check 3
SELECT 
  'DXY price range' as metric,
  ROUND(AVG(close)::numeric, 2) as avg_price,
  CASE 
    WHEN AVG(close) BETWEEN 80 AND 120 THEN 'PASS'
    ELSE 'FAIL'
  END as status
FROM data_bars
WHERE canonical_symbol = 'DXY'
  AND timeframe = '1m'
  AND ts_utc > NOW() AT TIME ZONE 'UTC' - INTERVAL '1 hour';

-- name: 6.2 check 4
-- corrected: 16 minutes for 10; a 5m bar is ten minutes old when a delay of 300 s lets it be decided
SELECT 
  'DXY 5m aggregation' as metric,
  COUNT(*) as bars_in_last_hour,
  MAX(ts_utc) as latest,
  CASE 
    WHEN MAX(ts_utc) > NOW() AT TIME ZONE 'UTC' - INTERVAL '16 minutes' THEN 'PASS'
    ELSE 'WARN'
  END as status
FROM derived_data_bars
WHERE canonical_symbol = 'DXY'
  AND timeframe = '5m'
  AND deleted_at IS NULL;

-- name: 6.2 check 5
SELECT 
  'Orphaned 1m in derived' as metric,
  COUNT(*) FILTER (WHERE deleted_at IS NULL) as active_rows,
  COUNT(*) FILTER (WHERE deleted_at IS NOT NULL) as deleted_rows,
  CASE WHEN COUNT(*) FILTER (WHERE deleted_at IS NULL) = 0 THEN 'PASS' ELSE 'WARN' END as status
FROM derived_data_bars
WHERE canonical_symbol = 'DXY' AND timeframe = '1m';

-- name: appendix place
SELECT COUNT(*) FROM data_bars WHERE canonical_symbol='DXY' AND timeframe='1m';

-- name: appendix freshness
SELECT MAX(ts_utc) FROM data_bars WHERE canonical_symbol='DXY' AND timeframe='1m';

-- name: appendix orphans
SELECT COUNT(*) FROM derived_data_bars WHERE canonical_symbol='DXY' AND timeframe='1m' AND deleted_at IS NULL;
