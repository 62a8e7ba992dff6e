begin;
select plan(7);

-- The minutes just outside the window are extreme in everything.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
select
  'ACME', timestamptz '2025-07-01 00:05+00' + m.n * interval '1 minute',
  v.price, v.price + 0.5, v.price - 0.5, v.price, v.vol, v.price, v.vol::bigint
from generate_series(-1, 5) as m (n)
cross join lateral (
  select
    case m.n when -1 then 1000 when 5 then 1 else 100 + m.n end as price,
    case when m.n between 0 and 4 then 10 else 100000 end as vol
) as v;

create temporary table built as
select public.aggregate_1m_to_5m_window('ACME', '2025-07-01 00:05+00', '2025-07-01 00:10+00') as result;

select is(
  b.result, '{"success": true, "stored": true, "source_count": 5, "quality_score": 2}',
  'aggregate_1m_to_5m_window() counts the five minutes of its window'
) from built as b;
select results_eq(
  $$
    select d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count
    from public.derived_data_bars as d
    where d.canonical_symbol = 'ACME'
    order by d.ts_utc
  $$,
  $$
    values (
      timestamptz '2025-07-01 00:05+00', 100::double precision, 104.5::double precision, 99.5::double precision,
      104::double precision, 50::double precision, 102::double precision, 50::bigint
    )
  $$,
  'aggregate_1m_to_5m_window() uses the bar at its start and not the bar at its end'
);

call tests.add_minutes('HOUR', '2025-07-01 00:00+00', '2025-07-01 01:00+00', 1000);
call tests.add_minutes('HOUR', '2025-07-01 01:00+00', '2025-07-01 02:00+00', 100);
call tests.add_minutes('HOUR', '2025-07-01 02:00+00', '2025-07-01 03:00+00', 1);
create temporary table fives as
select public.aggregate_1m_to_5m_window('HOUR', w.ts_utc, w.ts_utc + interval '5 minutes') as result
from generate_series(timestamptz '2025-07-01 00:00+00', timestamptz '2025-07-01 02:55+00', interval '5 minutes') as w (ts_utc);
create temporary table hour as
select public.aggregate_5m_to_1h_window('HOUR', '2025-07-01 01:00+00', '2025-07-01 02:00+00') as result;

select is(
  h.result, '{"success": true, "stored": true, "source_count": 12, "quality_score": 2}',
  'aggregate_5m_to_1h_window() counts the twelve bars of its window'
) from hour as h;
select results_eq(
  $$
    select d.ts_utc, d.open, d.high, d.low, d.close
    from public.derived_data_bars as d
    where d.canonical_symbol = 'HOUR' and d.timeframe = '1h'
    order by d.ts_utc
  $$,
  $$
    values (
      timestamptz '2025-07-01 01:00+00', 100::double precision, 100::double precision, 100::double precision, 100::double precision
    )
  $$,
  'aggregate_5m_to_1h_window() uses the 5m bar at its start and not the one at its end'
);

-- Three bars of which the last is the first of the next window: two are too few.
call tests.add_minutes('FEW', '2025-07-01 00:03+00', '2025-07-01 00:06+00');
create temporary table few as
select public.aggregate_1m_to_5m_window('FEW', '2025-07-01 00:00+00', '2025-07-01 00:05+00') as result;
select is(
  f.result, '{"success": true, "stored": false, "source_count": 2, "reason": "insufficient_source_bars"}',
  'aggregate_1m_to_5m_window() does not borrow a bar from the next window'
) from few as f;
select results_eq(
  $$
    select d.ts_utc, d.covered_minutes, d.quality_score, d.deleted_at is null
    from public.derived_data_bars as d
    where d.canonical_symbol = 'FEW'
  $$,
  $$ values (timestamptz '2025-07-01 00:00+00', 2, null::smallint, false) $$,
  'aggregate_1m_to_5m_window() keeps a window with too few bars as a row that is no bar'
);

-- With a threshold of 1 percent, a minute too many at either end would make a bar of the next window.
call tests.add_asset('LAX', '{"quality": {"good": 1, "poor": 1}}');
call tests.add_minutes('LAX', '2025-07-01 00:00+00', '2025-07-01 00:15+00');
create temporary table lax as
select public.aggregate_1m_to_5m_window('LAX', '2025-07-01 00:05+00', '2025-07-01 00:10+00') as result;
select results_eq(
  $$ select d.ts_utc, d.source_candles from public.derived_data_bars as d where d.canonical_symbol = 'LAX' order by d.ts_utc $$,
  $$ values (timestamptz '2025-07-01 00:05+00', 5) $$,
  'aggregate_1m_to_5m_window() builds no neighbour of its window'
);

select * from finish();
rollback;
