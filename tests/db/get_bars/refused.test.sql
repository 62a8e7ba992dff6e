begin;
select plan(16);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_asset('SHORT', '{"revisions": "30 days"}');
call tests.add_asset('NONE', '{"revisions": false}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select s.symbol, '2025-07-01 00:00+00', 1, 1, 1, 1 from unnest(array['ACME', 'SHORT', 'NONE']) as s (symbol);

select throws_ok('select public.get_bars(null, ''5m'')', '22023', 'p_symbols must be an array of symbols, not null', 'no symbols');
select throws_ok('select public.get_bars(array[''A'', null], ''5m'')', '22023', 'p_symbols must be an array of symbols, not {A,NULL}', 'a symbol that is null');
select throws_ok('select public.get_bars(array[''A''], null)', '22023', 'p_timeframe must be a timeframe such as 1m, 5m or 1d, not null', 'no timeframe');
select throws_ok('select public.get_bars(array[''A''], ''5 min'')', '22023', 'p_timeframe must be a timeframe such as 1m, 5m or 1d, not 5 min', 'what is no timeframe');
select throws_ok(
  $$ select public.get_bars(array['A'], '5m', '2025-07-01 00:05+00', '2025-07-01 00:05+00') $$, '22023',
  '[2025-07-01 00:05:00+00, 2025-07-01 00:05:00+00) is not a range of time', 'an empty range'
);
select throws_ok('select public.get_bars(array[''A''], ''5m'', p_limit => 0)', '22023', 'p_limit must be a number of bars above 0, not 0', 'no rows');
select throws_ok(
  format('select public.get_bars(array[''A''], ''5m'', p_after => %L)', a.value), '22023',
  format('p_after must be an object with canonical_symbol and ts_utc (an instant with its zone), not %s', a.value), 'p_after that says no row: ' || a.value
)
from unnest(array['[]', '{"ts_utc": "2025-07-01T00:00:00Z"}', '{"ts_utc": "2025-07-01T00:00:00", "canonical_symbol": "A"}', '{"ts_utc": "soon Z", "canonical_symbol": "A"}']) as a (value);
select throws_ok(
  'select public.get_bars(array[''ACME''], ''1m'', p_as_of => now())', '22023', 'p_as_of cannot be had with 1m: data_bars keeps no revisions', 'p_as_of of 1m'
);
select throws_ok(
  'select public.get_bars(array[''ACME''], ''5m'', p_forming => true, p_as_of => now())', '22023',
  'p_as_of cannot be had with p_forming: data_bars keeps no revisions', 'p_as_of with p_forming'
);
select throws_ok(
  $$ select public.get_bars(array['ACME', 'SHORT'], '5m', p_as_of => now() - interval '31 days') $$, '22023',
  'SHORT keeps no revisions from before ' || now() - interval '30 days', 'p_as_of beyond the revisions of a symbol'
);
select throws_ok(
  $$ select public.get_bars(array['NONE'], '5m', p_as_of => now() - interval '1 minute') $$, '22023',
  'NONE keeps no revisions from before ' || now(), 'p_as_of of a symbol that keeps none'
);
select lives_ok($$ select public.get_bars(array['ACME', 'UNKNOWN'], '5m', p_as_of => now() - interval '399 days') $$, 'p_as_of within 400 days');
select throws_ok(
  $$ select public.get_bars(array['ACME', 'UNKNOWN'], '5m', p_as_of => now() - interval '401 days') $$, '22023', null, 'p_as_of beyond 400 days'
);

select * from finish();
rollback;
