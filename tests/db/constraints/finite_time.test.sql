begin;
select plan(4);

select throws_like(
  format(
    $$ insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values ('ACME', %L, 1, 1, 1, 1) $$, i.ts
  ),
  '%data_bars_ts_aligned%',
  format('data_bars refuses a bar at %s', i.ts)
)
from (values ('infinity'), ('-infinity')) as i (ts);
select throws_like(
  format(
    $$
      insert into public.derived_data_bars (
        canonical_symbol, timeframe, ts_utc, open, high, low, close,
        source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes, quality_score
      )
      values ('ACME', '5m', %L, 1, 1, 1, 1, '1m', 5, 5, 5, 5, 2)
    $$,
    i.ts
  ),
  '%derived_data_bars_ts_aligned%',
  format('derived_data_bars refuses a bar at %s', i.ts)
)
from (values ('infinity'), ('-infinity')) as i (ts);

select * from finish();
rollback;
