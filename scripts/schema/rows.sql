-- Two assets, a basket of them, two hours of minutes, one of them late, and what the jobs make of it.
insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values
  ('ROWS_A', true, '{"agg": {"start_utc": "2026-01-05T00:00:00Z"}}'),
  ('ROWS_B', true, '{"agg": {"start_utc": "2026-01-05T00:00:00Z"}}'),
  ('ROWS_AB', true, '{"is_synthetic": true, "components": ["ROWS_A", "ROWS_B"], "component_weights": {"ROWS_A": 0.5, "ROWS_B": 0.5},
    "formula_base": 1, "agg": {"start_utc": "2026-01-05T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
select s.symbol, m.ts_utc, 1, 2, 0.5, 1.5, 100, 1.2, 10
from (values ('ROWS_A'), ('ROWS_B')) as s (symbol)
cross join generate_series(timestamptz '2026-01-05 00:00:00+00', '2026-01-05 01:59:00+00', interval '1 minute') as m (ts_utc)
where m.ts_utc <> '2026-01-05 00:07:00+00';
select public.agg_run_due(p_now => '2026-01-05 02:30:00+00');
select public.agg_maintain(p_now => '2026-01-05 03:30:00+00');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
values ('ROWS_A', '2026-01-05 00:07:00+00', 1, 2, 0.5, 1.5);
select public.agg_repair('ROWS_A', '1h');
