begin;
select plan(22);

call tests.clear();
call tests.add_asset('ACME', '{"start_utc": "2025-06-30T00:00:00Z", "optional": ["15m", "30m", "4h", "1d", "1w"]}');
call tests.add_asset('FX', '{"start_utc": "2025-06-29T21:00:00Z", "optional": ["4h", "1d", "1w"], "day_close": {"time": "17:00", "time_zone": "America/New_York"}}');
call tests.add_minutes('ACME', '2025-06-30 00:00+00', '2025-07-07 01:00+00', p_high => 2);
call tests.add_minutes('FX', '2025-06-29 21:00+00', '2025-07-07 22:00+00', p_high => 2);
call tests.run('2025-07-07 23:00+00');
create function pg_temp.build(
  p_symbol text, p_timeframe text, p_from timestamptz, p_to timestamptz default null, p_now timestamptz default '2025-07-07 23:00+00'
) returns text
language plpgsql as $$
begin
  return public.aggregate_window(p_symbol, p_timeframe, p_from, p_to, p_now => p_now)::text;
exception when others then
  return sqlstate || ' ' || sqlerrm;
end;
$$;

select is(
  pg_temp.build('ACME', t.timeframe, '2025-06-30 00:00+00'),
  format('{"stored": true, "success": true, "source_count": %s, "quality_score": 2}', t.candles),
  format('it builds a window of %s', t.timeframe)
)
from (values ('5m', 5), ('15m', 3), ('30m', 6), ('1h', 12), ('4h', 4), ('1d', 24), ('1w', 168)) as t (timeframe, candles);
select is(
  pg_temp.build('ACME', '1d', '2025-06-30 00:00+00', '2025-07-01 00:00+00'),
  '{"stored": true, "success": true, "source_count": 24, "quality_score": 2}', 'the end may be given as well'
);
select is(
  pg_temp.build('ACME', '1d', '2025-06-30 00:00+00', '2025-07-02 00:00+00'),
  '22023 ACME 1d: [2025-06-30 00:00:00+00, 2025-07-02 00:00:00+00) is not one 1d window', 'and must be that of the window'
);
select matches(
  pg_temp.build('ACME', '1w', '2025-07-01 00:00+00'), '^22023 ACME 1w: .* is not one 1w window$', 'a week begins on a Monday'
);
select is(
  pg_temp.build('FX', '1w', '2025-06-29 21:00+00'),
  '{"stored": true, "success": true, "source_count": 168, "quality_score": 2}', 'but on a Sunday where the day closes in the evening'
);
select matches(
  pg_temp.build('FX', '1d', '2025-07-01 00:00+00'), '^22023 FX 1d: .* is not one 1d window$', 'a day begins on the clock of the asset'
);
select is(
  pg_temp.build('FX', '1h', '2025-07-01 00:00+00'),
  '{"stored": true, "success": true, "source_count": 12, "quality_score": 2}', 'an hour in UTC'
);
select throws_ok(
  $$ select public.aggregate_window('FX', '4h', '2025-07-01 00:00+00', p_now => '2025-07-07 23:00+00') $$, '22023', null, 'so does every window above'
);
select is(
  pg_temp.build('ACME', '1m', '2025-07-01 00:00+00'), '22023 1m is not a timeframe that is built from minutes', 'a minute is not built'
);
select is(pg_temp.build('ACME', '7m', '2025-07-01 00:00+00'), '22023 7m is not a timeframe that is built from minutes', 'nor what is no timeframe');
select is(pg_temp.build('ACME', null, '2025-07-01 00:00+00'), '22023 null is not a timeframe that is built from minutes', 'nor null');
select is(left(pg_temp.build('ACME', '1h', null), 5), '22023', 'a start is needed');
select is(
  pg_temp.build('ACME', '1d', '2025-07-07 00:00+00'), '{"reason": "frontier", "stored": false, "success": true, "source_count": 1}',
  'a window that is not complete waits'
);
select is(
  pg_temp.build('ACME', '4h', '2025-07-02 04:00+00', p_now => '2025-07-02 08:04:59+00'),
  '{"reason": "frontier", "stored": false, "success": true, "source_count": 4}', 'the clock is an argument'
);
select is(
  pg_temp.build('ACME', '1w', '2025-06-23 00:00+00'), '{"reason": "before_agg_start_utc", "stored": false, "success": true, "source_count": 0}',
  'nothing is built before agg_start_utc'
);
delete from public.data_bars as b where b.canonical_symbol = 'ACME' and b.ts_utc >= '2025-07-02 00:00+00' and b.ts_utc < '2025-07-02 10:00+00';
do $$
begin
  perform public.catchup_aggregation_range('ACME', t.timeframe, '2025-07-01 22:00+00', 1000, '2025-07-07 23:00+00')
  from unnest(array['5m', '1h']) as t (timeframe);
end;
$$;
select is(
  pg_temp.build('ACME', '1d', '2025-07-02 00:00+00'),
  '{"reason": "insufficient_source_bars", "stored": false, "success": true, "source_count": 14}', 'a day of fourteen hours is no bar'
);

select * from finish();
rollback;
