begin;
select plan(6);

create function pg_temp.violated(p_table regclass, p_row jsonb) returns text
language plpgsql as $$
declare
  v_constraint text;
begin
  execute format('insert into %s select r.* from jsonb_populate_record(null::%1$s, $1) as r', p_table) using p_row;
  return 'none';
exception when check_violation then
  get stacked diagnostics v_constraint = constraint_name;
  return v_constraint;
end;
$$;

create temporary table good (table_name regclass, fields jsonb);
insert into good (table_name, fields) values
  ('public.data_bars', '{"canonical_symbol": "ACME", "timeframe": "1m", "ts_utc": "2025-07-01T00:00:00Z", "open": 2, "high": 3, "low": 1,
    "close": 2, "is_partial": false, "source": "ingest", "ingested_at": "2025-07-01T00:01:00Z", "raw": {}, "created_at": "2025-07-01T00:01:00Z",
    "updated_at": "2025-07-01T00:01:00Z"}'),
  ('public.derived_data_bars', '{"canonical_symbol": "ACME", "timeframe": "5m", "ts_utc": "2025-07-01T00:00:00Z", "open": 2, "high": 3, "low": 1,
    "close": 2, "source_timeframe": "1m", "source_candles": 5, "expected_candles": 5, "covered_minutes": 5, "expected_minutes": 5,
    "quality_score": 2, "derivation_version": 1, "is_partial": false, "source": "aggregated", "raw": {}, "created_at": "2025-07-01T00:01:00Z",
    "updated_at": "2025-07-01T00:01:00Z"}');

-- What is wrong with a row, and its nearest neighbour that is right.
create temporary table trial (table_name regclass, constraint_name text, bad jsonb, good jsonb);
insert into trial (table_name, constraint_name, bad, good)
select t.table_name::regclass, t.prefix || v.suffix, v.bad::jsonb, v.good::jsonb
from (values ('public.data_bars', 'data_bars_'), ('public.derived_data_bars', 'derived_data_bars_')) as t (table_name, prefix)
cross join (
  values
    ('high_covers', '{"open": 3.01}', '{"open": 3}'),
    ('high_covers', '{"close": 3.01}', '{"close": 3}'),
    ('low_covers', '{"open": 0.99}', '{"open": 1}'),
    ('low_covers', '{"close": 0.99}', '{"close": 1}'),
    ('finite_prices', '{"high": "NaN"}', '{"high": 1e49}'),
    ('finite_prices', '{"open": "NaN"}', '{"open": 3}'),
    ('finite_prices', '{"low": "NaN"}', '{"low": 1e-300}'),
    ('finite_prices', '{"close": "NaN"}', '{"close": 1}'),
    ('finite_prices', '{"high": "Infinity"}', '{"high": 1e49}'),
    ('finite_prices', '{"high": "Infinity", "open": "Infinity"}', '{"high": 1e49, "open": 1e49}'),
    ('finite_prices', '{"high": "NaN", "close": "NaN"}', '{"high": 1e49, "close": 1e49}'),
    ('finite_prices', '{"low": "-Infinity"}', '{"low": -1e49}')
) as v (suffix, bad, good);
insert into trial (table_name, constraint_name, bad, good) values
  ('public.data_bars', 'data_bars_finite_prices', '{"high": 1e50}', '{"high": 3.1e24}'),
  ('public.data_bars', 'data_bars_finite_prices', '{"low": -1e50}', '{"open": -37.63, "high": -37, "low": -40.32, "close": -39}'),
  ('public.data_bars', 'data_bars_finite_prices', '{"high": 1.7e308}', '{"open": 1e-12, "high": 1e-12, "low": 1e-12, "close": 1e-12}'),
  ('public.data_bars', 'data_bars_vol_in_range', '{"vol": 1.7e308}', '{"vol": 1e24}'),
  ('public.data_bars', 'data_bars_vol_in_range', '{"vol": 1.1e50}', '{"vol": 1e50}'),
  ('public.data_bars', 'data_bars_vol_in_range', '{"vol": 1e-51}', '{"vol": 1e-50}'),
  ('public.data_bars', 'data_bars_vol_in_range', '{"vol": -0.01}', '{"vol": 0}'),
  ('public.data_bars', 'data_bars_vol_in_range', '{"vol": "Infinity"}', '{"vol": 1e-12}'),
  ('public.data_bars', 'data_bars_vol_in_range', '{"vol": "NaN"}', '{"vol": null}'),
  ('public.data_bars', 'data_bars_vwap_in_range', '{"vwap": "NaN"}', '{"vwap": 0}'),
  ('public.data_bars', 'data_bars_vwap_in_range', '{"vwap": "Infinity"}', '{"vwap": null}'),
  ('public.data_bars', 'data_bars_vwap_in_range', '{"vwap": "-Infinity"}', '{"vwap": -1e-12}'),
  ('public.data_bars', 'data_bars_vwap_in_range', '{"vwap": 1.1e50}', '{"vwap": 1e50}'),
  ('public.data_bars', 'data_bars_vwap_in_range', '{"vwap": -1e-51}', '{"vwap": -1e-50}'),
  ('public.data_bars', 'data_bars_trade_count_in_range', '{"trade_count": -1}', '{"trade_count": 0}'),
  ('public.data_bars', 'data_bars_trade_count_in_range', '{"trade_count": 9223372036854775807}', '{"trade_count": 1000000000000}'),
  ('public.derived_data_bars', 'derived_data_bars_vwap_finite', '{"vwap": "NaN"}', '{"vwap": 1e308}'),
  ('public.derived_data_bars', 'derived_data_bars_vwap_finite', '{"vwap": "Infinity"}', '{"vwap": null}'),
  ('public.derived_data_bars', 'derived_data_bars_vwap_finite', '{"vwap": "-Infinity"}', '{"vwap": -1}'),
  ('public.derived_data_bars', 'derived_data_bars_vol_not_negative', '{"vol": -0.01}', '{"vol": 0}'),
  ('public.derived_data_bars', 'derived_data_bars_vol_not_negative', '{"vol": "Infinity"}', '{"vol": 1e308}'),
  ('public.derived_data_bars', 'derived_data_bars_vol_not_negative', '{"vol": "NaN"}', '{"vol": null}'),
  ('public.derived_data_bars', 'derived_data_bars_trade_count_not_negative', '{"trade_count": -1}', '{"trade_count": 0}'),
  ('public.data_bars', 'data_bars_timeframe_check', '{"timeframe": "5m"}', '{}'),
  ('public.data_bars', 'data_bars_source_check', '{"source": "guess"}', '{"source": "synthetic"}'),
  ('public.data_bars', 'data_bars_source_check', '{"source": ""}', '{"source": "massive_api"}'),
  ('public.data_bars', 'data_bars_ts_in_range', '{"ts_utc": "1899-12-31T23:59:00Z"}', '{"ts_utc": "1900-01-01T00:00:00Z"}'),
  ('public.data_bars', 'data_bars_ts_in_range', '{"ts_utc": "2200-01-01T00:00:00Z"}', '{"ts_utc": "2199-12-31T23:59:00Z"}'),
  ('public.data_bars', 'data_bars_ts_aligned', '{"ts_utc": "2025-07-01T00:00:01Z"}', '{"ts_utc": "2025-07-01T00:01:00Z"}'),
  ('public.data_bars', 'data_bars_ts_aligned', '{"ts_utc": "2025-07-01T00:00:59.999999Z"}', '{"ts_utc": "1969-07-01T00:01:00Z"}'),
  ('public.derived_data_bars', 'derived_data_bars_timeframe_check', '{"timeframe": "1m"}', '{"timeframe": "1d"}'),
  ('public.derived_data_bars', 'derived_data_bars_ts_aligned', '{"ts_utc": "2025-07-01T00:04:00Z"}', '{"ts_utc": "2025-07-01T00:05:00Z"}'),
  ('public.derived_data_bars', 'derived_data_bars_ts_aligned', '{"timeframe": "15m", "ts_utc": "2025-07-01T00:05:00Z"}',
    '{"timeframe": "15m", "ts_utc": "2025-07-01T00:15:00Z"}'),
  ('public.derived_data_bars', 'derived_data_bars_ts_aligned', '{"timeframe": "1h", "ts_utc": "2025-07-01T00:30:00Z"}',
    '{"timeframe": "1h", "ts_utc": "2025-07-01T01:00:00Z"}'),
  ('public.derived_data_bars', 'derived_data_bars_ts_aligned', '{"timeframe": "30m", "ts_utc": "2025-07-01T00:15:00Z"}',
    '{"timeframe": "30m", "ts_utc": "2025-07-01T00:30:00Z"}'),
  -- Days of Kathmandu begin at 18:15 UTC, hours of Lord Howe at half an hour.
  ('public.derived_data_bars', 'derived_data_bars_ts_aligned', '{"timeframe": "4h", "ts_utc": "2025-07-01T00:00:30Z"}',
    '{"timeframe": "4h", "ts_utc": "2025-07-01T15:30:00Z"}'),
  ('public.derived_data_bars', 'derived_data_bars_ts_aligned', '{"timeframe": "1d", "ts_utc": "2025-07-01T18:15:01Z"}',
    '{"timeframe": "1d", "ts_utc": "2025-07-01T18:15:00Z"}'),
  ('public.derived_data_bars', 'derived_data_bars_timeframe_check', '{"timeframe": "1mo"}', '{"timeframe": "1w"}'),
  ('public.derived_data_bars', 'derived_data_bars_timeframe_check', '{"timeframe": "0h"}', '{"timeframe": "2h"}'),
  ('public.derived_data_bars', 'derived_data_bars_vwap_vol_finite', '{"vwap_vol": -0.01}', '{"vwap_vol": 0}'),
  ('public.derived_data_bars', 'derived_data_bars_vwap_vol_finite', '{"vwap_vol": "Infinity"}', '{"vwap_vol": 1e308}'),
  ('public.derived_data_bars', 'derived_data_bars_vwap_vol_finite', '{"vwap_vol": "NaN"}', '{"vwap_vol": null}'),
  ('public.derived_data_bars', 'derived_data_bars_quality_check', '{"quality_score": 3}', '{"quality_score": 0}'),
  ('public.derived_data_bars', 'derived_data_bars_quality_check', '{"quality_score": -1}', '{"quality_score": 1}'),
  ('public.derived_data_bars', 'derived_data_bars_quality_check', '{"quality_score": null}',
    '{"quality_score": null, "deleted_at": "2025-07-01T00:01:00Z"}'),
  ('public.derived_data_bars', 'derived_data_bars_counts_check', '{"source_candles": -1}', '{"source_candles": 0}'),
  ('public.derived_data_bars', 'derived_data_bars_counts_check', '{"expected_candles": -1}', '{"expected_candles": 0}'),
  ('public.derived_data_bars', 'derived_data_bars_counts_check', '{"covered_minutes": 0}', '{"covered_minutes": 1}'),
  ('public.derived_data_bars', 'derived_data_bars_counts_check', '{"covered_minutes": -1, "deleted_at": "2025-07-01T00:01:00Z"}',
    '{"covered_minutes": 0, "deleted_at": "2025-07-01T00:01:00Z"}'),
  ('public.derived_data_bars', 'derived_data_bars_counts_check', '{"expected_minutes": -1}', '{"expected_minutes": 0}');

create temporary table outcome as
select
  t.table_name, t.constraint_name, t.bad, t.good,
  pg_temp.violated(t.table_name, g.fields || t.bad || jsonb_build_object('canonical_symbol', 'BAD' || t.n)) as bad_violates,
  pg_temp.violated(t.table_name, g.fields || t.good || jsonb_build_object('canonical_symbol', 'GOOD' || t.n)) as good_violates
from (select k.*, row_number() over () as n from trial as k) as t
join good as g on g.table_name = t.table_name;

select is_empty(
  $$ select o.constraint_name, o.bad, o.bad_violates from outcome as o where o.bad_violates <> o.constraint_name $$,
  'every bad bar is refused with the name of its constraint'
);
select is_empty(
  $$ select o.constraint_name, o.good, o.good_violates from outcome as o where o.good_violates <> 'none' $$,
  'the good neighbour of every bad bar passes'
);
select bag_eq(
  $$
    select distinct c.conname::text
    from pg_catalog.pg_constraint as c
    where c.conrelid in ('public.data_bars'::regclass, 'public.derived_data_bars'::regclass) and c.contype = 'c'
  $$,
  'select distinct o.constraint_name from outcome as o',
  'every check of data_bars and derived_data_bars is tried'
);
select cmp_ok(
  (select count(*) from outcome as o), '>=', 55::bigint, 'the trials are not lost'
);
select throws_ok(
  $$ insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values ('ACME', '2025-07-01 00:00+00', 1, 1, 1, null) $$,
  '23502', null, 'data_bars needs every price'
);
select throws_ok(
  $$
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    values ('ACME', '2025-07-01 00:00+00', 1, 1, 1, 1), ('ACME', '2025-07-01 00:00+00', 2, 2, 2, 2)
  $$,
  '23505', null, 'data_bars holds one bar a symbol and minute'
);

select * from finish();
rollback;
