begin;
select plan(5);

-- A symbol for each of the 32 sets of minutes that a window can hold.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'M' || lpad(s.mask::text, 2, '0'), timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from generate_series(0, 31) as s (mask)
cross join generate_series(0, 4) as m (n)
where (s.mask >> m.n) & 1 = 1;

create temporary table built as
select
  k.symbol, length(replace(s.mask::bit(5)::text, '0', '')) as minutes,
  public.aggregate_1m_to_5m_window(k.symbol, '2025-07-01 00:00+00', '2025-07-01 00:05+00') as result
from generate_series(0, 31) as s (mask)
cross join lateral (select 'M' || lpad(s.mask::text, 2, '0')) as k (symbol);

select results_eq(
  $$
    select b.minutes, (b.result ->> 'quality_score')::integer, count(*)
    from built as b
    group by 1, 2
    order by 1, 2
  $$,
  $$ values (0, null::integer, 1::bigint), (1, null, 5), (2, null, 10), (3, 0, 10), (4, 1, 5), (5, 2, 1) $$,
  'aggregate_1m_to_5m_window() scores 5, 4 and 3 minutes 2, 1 and 0, and fewer not at all, whichever minutes they are'
);
select is_empty(
  $$ select b.symbol from built as b where (b.result ->> 'source_count')::integer <> b.minutes $$,
  'aggregate_1m_to_5m_window() counts the source bars of its window'
);
select is_empty(
  $$ select b.symbol from built as b where (b.result ->> 'stored')::boolean <> (b.minutes >= 3) $$,
  'aggregate_1m_to_5m_window() stores windows of three minutes and more'
);
select results_eq(
  $$
    select b.symbol, b.minutes::integer, b.minutes::integer, 5, 5
    from built as b
    where b.minutes >= 3
    order by b.symbol
  $$,
  $$
    select d.canonical_symbol, d.source_candles, d.covered_minutes, d.expected_candles, d.expected_minutes
    from public.derived_data_bars as d
    where d.deleted_at is null
    order by d.canonical_symbol
  $$,
  'build_windows() stores how much of the window is covered'
);
select results_eq(
  $$
    select distinct (b.result ->> 'quality_score')::integer, d.quality_score::integer
    from built as b
    join public.derived_data_bars as d on d.canonical_symbol = b.symbol and d.deleted_at is null
    order by 1, 2
  $$,
  'values (0, 0), (1, 1), (2, 2)',
  'aggregate_1m_to_5m_window() returns the score that it stores'
);

select * from finish();
rollback;
