begin;
select plan(17);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_asset('BETA');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 02:00+00', 2, 3, 10);
-- No bar at 00:10 of BETA: its minutes are too few.
call tests.add_minutes('BETA', '2025-07-01 00:00+00', '2025-07-01 00:11+00');
call tests.add_minutes('BETA', '2025-07-01 00:15+00', '2025-07-01 01:00+00');
call tests.run('2025-07-01 05:00+00');

-- The rows of get_bars as text: symbol, time, close.
create function pg_temp.rows(
  p_symbols text[], p_timeframe text, p_from timestamptz default null, p_to timestamptz default null, p_limit integer default 1000,
  p_after jsonb default null
)
returns text language sql as $$
  select string_agg(b.canonical_symbol || ' ' || to_char(b.ts_utc at time zone 'UTC', 'HH24:MI'), ', ')
  from public.get_bars(p_symbols, p_timeframe, p_from, p_to, p_limit, p_after) as b
$$;

select is(
  pg_temp.rows(array['ACME'], '5m', '2025-07-01 00:05+00', '2025-07-01 00:20+00'), 'ACME 00:05, ACME 00:10, ACME 00:15',
  'get_bars() reads windows that start in [p_from, p_to)'
);
select is(
  pg_temp.rows(array['ACME'], '1m', '2025-07-01 01:58+00'), 'ACME 01:58, ACME 01:59', 'get_bars() reads 1m bars in the same way, here to the end'
);
select is(
  pg_temp.rows(array['BETA', 'NONE', 'ACME', 'BETA'], '5m', '2025-07-01 00:05+00', '2025-07-01 00:20+00'),
  'ACME 00:05, ACME 00:10, ACME 00:15, BETA 00:05, BETA 00:15',
  'get_bars() orders bars by symbol and time, each once, and leaves out windows without a bar'
);
select is(
  pg_temp.rows(array['BETA', 'ACME'], '1m', '2025-07-01 00:58+00', '2025-07-01 01:01+00'), 'ACME 00:58, ACME 00:59, ACME 01:00, BETA 00:58, BETA 00:59',
  'get_bars() orders 1m bars by symbol and time'
);
select is(
  pg_temp.rows(array['ACME', 'BETA'], '5m', p_limit => 2), 'ACME 01:50, ACME 01:55, BETA 00:50, BETA 00:55',
  'get_bars() without p_from reads the latest bars of each symbol'
);
select is(
  pg_temp.rows(array['ACME', 'BETA'], '5m', p_to => '2025-07-01 00:15+00', p_limit => 1), 'ACME 00:10, BETA 00:05',
  'get_bars() without p_from reads the latest before p_to'
);
select is(pg_temp.rows(array['ACME', 'BETA'], '1m', p_limit => 1), 'ACME 01:59, BETA 00:59', 'get_bars() reads the latest minutes');
select is(
  pg_temp.rows(array['ACME', 'NONE', 'BETA'], '5m', p_limit => 1), 'ACME 01:55, BETA 00:55', 'get_bars() reads the last bar of each symbol, however far it lies behind that of the first one'
);
select is(
  pg_temp.rows(array['BETA', 'ACME'], '5m', p_limit => 1) || '; ' || pg_temp.rows(array['NONE', 'ACME', 'BETA'], '1m', p_limit => 1),
  'ACME 01:55, BETA 00:55; ACME 01:59, BETA 00:59', 'or before it, or where the first one has no bar'
);
select is(
  pg_temp.rows(array['ACME', 'BETA'], '1h', p_to => '2025-07-01 01:00+00', p_limit => 1), 'ACME 00:00, BETA 00:00', 'get_bars() reads the last bar before p_to of each symbol'
);
select is(
  (select count(*) from public.get_bars(array['ACME', 'BETA'], '1m', p_limit => null)), 176::bigint, 'get_bars() without p_limit reads all'
);
select is(pg_temp.rows(array[]::text[], '5m'), null, 'get_bars() of no symbol is nothing');
select is(pg_temp.rows(array['ACME'], '7m'), null, 'get_bars() of a timeframe that is not built is nothing');

-- All pages of three rows, each after the last row of the page before.
create function pg_temp.pages(p_timeframe text, p_from timestamptz, p_fill boolean default false) returns setof text
language plpgsql as $$
declare
  v_page text[];
  v_last jsonb;
begin
  loop
    select array_agg(b.canonical_symbol || ' ' || to_char(b.ts_utc at time zone 'UTC', 'HH24:MI') order by b.no), (array_agg(to_jsonb(b) order by b.no desc))[1]
    into v_page, v_last
    from public.get_bars(array['ACME', 'BETA', 'GAMMA'], p_timeframe, p_from, '2025-07-01 00:30+00', 3, v_last, p_fill)
      with ordinality as b (canonical_symbol, timeframe, ts_utc, o, h, l, c, v, w, t, q, cm, em, ip, ifi, ifo, u, no);
    exit when v_page is null;
    return query select unnest(v_page);
  end loop;
end;
$$;
select results_eq(
  $$ select p from pg_temp.pages('5m', '2025-07-01 00:00+00') as p $$,
  $$
    select unnest(array['ACME 00:00', 'ACME 00:05', 'ACME 00:10', 'ACME 00:15', 'ACME 00:20', 'ACME 00:25',
      'BETA 00:00', 'BETA 00:05', 'BETA 00:15', 'BETA 00:20', 'BETA 00:25'])
  $$,
  'pages follow each other, over symbols'
);
select is(
  (select count(*) from pg_temp.pages('1m', '2025-07-01 00:00+00') as p), 56::bigint, 'pages of minutes have each minute once'
);
select is(
  pg_temp.rows(array['ACME', 'BETA'], '5m', p_limit => 2, p_after => '{"canonical_symbol": "ACME", "ts_utc": "2025-07-01T01:50:00+00:00"}'),
  'ACME 01:55, BETA 00:50, BETA 00:55', 'p_after leaves out rows of the latest as well'
);
select is(
  (select to_jsonb(b) - 'updated_at' from public.get_bars(array['ACME'], '5m', p_limit => 1) as b),
  '{
    "canonical_symbol": "ACME", "timeframe": "5m", "ts_utc": "2025-07-01T01:55:00+00:00", "open": 2, "high": 3, "low": 2, "close": 2, "vol": 50,
    "vwap": null, "trade_count": null, "quality_score": 2, "covered_minutes": 5, "expected_minutes": 5, "is_partial": false, "is_filled": false,
    "is_forming": false
  }',
  'a row says all of a bar'
);

select * from finish();
rollback;
