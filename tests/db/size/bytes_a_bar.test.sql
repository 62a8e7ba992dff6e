begin;
select plan(3);

call tests.add_asset('EURUSD');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
select 'EURUSD', m.ts_utc, 1, 1, 1, 1, 1, 1, 1
from generate_series(timestamptz '2025-07-01 00:00+00', timestamptz '2025-07-01 00:04+00', interval '1 minute') as m (ts_utc);
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values ('EURUSD', '2025-07-01 00:05+00', 1, 1, 1, 1);
call tests.run('2025-07-01 00:10+00');

select is(
  (select pg_column_size(b) from public.data_bars as b where b.ts_utc = '2025-07-01 00:00+00'), 136,
  'a 1m bar with volume, vwap and trades leaves no room between its columns'
);
select is(
  (select pg_column_size(b) from public.data_bars as b where b.ts_utc = '2025-07-01 00:05+00'), 120,
  'so does one without them'
);
select is(
  (select pg_column_size(d) from public.derived_data_bars as d where d.timeframe = '5m' and d.ts_utc = '2025-07-01 00:00+00'), 176,
  'so does a longer bar'
);

select * from finish();
rollback;
