begin;
select plan(3);

-- Minutes with holes, partial ones, and with volumes, averages and counts that are unknown here and there.
call tests.clear();
call tests.add_asset('ACME', '{"optional": ["15m", "4h", "1d"]}');
call tests.add_asset('CLOSES', '{"optional": ["4h"], "session": {"time_zone": "UTC", "weekly": [{"open": "Tue 00:02", "close": "Tue 02:30"}]}}');
call tests.add_asset('OTHER');
call tests.add_basket('BASKET', '{"ACME": 0.5, "OTHER": 0.5}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial)
select y.symbol, m.ts_utc, 8 + m.n % 5, 13 + m.n % 3, 8 - m.n % 4, 8 + m.n % 3, nullif(m.n % 7, 3), nullif(8 + m.n % 2, 9), nullif(m.n % 9, 2), m.n % 50 = 0
from unnest(array['ACME', 'OTHER', 'CLOSES']) as y (symbol)
cross join lateral (
  select t.ts_utc, (extract(epoch from t.ts_utc)::bigint / 60 % 1000)::integer as n
  from generate_series(timestamptz '2025-07-01 00:00+00', '2025-07-01 02:58+00', '1 minute') as t (ts_utc)
) as m
where m.n % 29 <> 7;

-- The next minute is one of the next day: until then nothing more is decided.
call tests.run('2025-07-01 02:59+00');
create temporary table forming as
select b.*
from unnest(array['5m', '15m', '1h', '4h']) as t (timeframe)
cross join lateral public.get_bars(array['ACME', 'CLOSES', 'OTHER', 'BASKET'], t.timeframe, p_limit => null, p_forming => true) as b
where b.is_forming;
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select y.symbol, m.ts_utc, 8, 8, 8, 8
from unnest(array['ACME', 'OTHER', 'CLOSES']) as y (symbol)
cross join generate_series(timestamptz '2025-07-08 00:05+00', '2025-07-08 00:15+00', '1 minute') as m (ts_utc);
call tests.run('2025-07-08 00:30+00');

create function pg_temp.facts(p_bar jsonb) returns jsonb
language sql as $$
  select p_bar - array['updated_at', 'is_forming', 'is_partial', 'quality_score', 'expected_minutes']
    -- An hour is made of five minutes, and its vwap rounded more than once.
    || jsonb_build_object('vwap', round((p_bar ->> 'vwap')::numeric, 12))
$$;
select is(
  (select string_agg(f.canonical_symbol || ' ' || f.timeframe, ', ' order by f.canonical_symbol, f.timeframe) from forming as f),
  'ACME 15m, ACME 1h, ACME 4h, ACME 5m, ACME 5m, BASKET 1h, BASKET 5m, BASKET 5m, CLOSES 1h, CLOSES 4h, OTHER 1h, OTHER 5m, OTHER 5m',
  'windows of each task are forming'
);
select results_eq(
  $$
    select f.canonical_symbol, f.timeframe, pg_temp.facts(to_jsonb(b))
    from forming as f
    cross join lateral public.get_bars(array[f.canonical_symbol], f.timeframe, f.ts_utc, f.ts_utc + interval '1 minute') as b
    order by f.canonical_symbol, f.timeframe, f.ts_utc
  $$,
  'select f.canonical_symbol, f.timeframe, pg_temp.facts(to_jsonb(f)) from forming as f order by f.canonical_symbol, f.timeframe, f.ts_utc',
  'where no further minute arrives, the bar that is stored has the times, prices, volumes and minutes of the forming one'
);
select is_empty(
  $$ select f.canonical_symbol, f.timeframe from forming as f cross join lateral public.get_bars(array[f.canonical_symbol], f.timeframe, f.ts_utc, f.ts_utc + interval '1 minute', p_forming => true) as b where b.is_forming $$,
  'and is not forming any more'
);

select * from finish();
rollback;
