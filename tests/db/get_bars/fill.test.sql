begin;
select plan(16);

call tests.clear();
-- Open from 00:00 to 01:00 and from 03:00 to 04:00 on Tuesdays, such as 1 July 2025.
call tests.add_asset(
  'ACME', '{"session": {"time_zone": "UTC", "weekly": [{"open": "Tue 00:00", "close": "Tue 01:00"}, {"open": "Tue 03:00", "close": "Tue 04:00"}]}}'
);
call tests.add_asset('ALWAYS');
call tests.add_asset('CLOSED', '{"session": {"time_zone": "UTC", "weekly": [{"open": "Tue 00:00", "close": "Tue 00:01"}]}}');
call tests.add_minutes('ACME', '2025-07-01 00:10+00', '2025-07-01 00:15+00', 2, 3);
call tests.add_minutes('ACME', '2025-07-01 00:50+00', '2025-07-01 00:55+00', 4, 5);
call tests.add_minutes('ACME', '2025-07-01 03:10+00', '2025-07-01 03:15+00', 6, 7, 10);
call tests.add_minutes('ALWAYS', '2025-07-01 00:00+00', '2025-07-01 00:03+00', 2);
call tests.add_minutes('ALWAYS', '2025-07-01 00:10+00', '2025-07-01 00:15+00', 3);
call tests.run('2025-07-01 03:25+00');

create function pg_temp.rows(
  p_symbols text[], p_timeframe text, p_from timestamptz default null, p_to timestamptz default null, p_limit integer default 1000,
  p_after jsonb default null, p_as_of timestamptz default null
)
returns text language sql as $$
  select string_agg(to_char(b.ts_utc at time zone 'UTC', 'HH24:MI') || '=' || b.close || case when b.is_filled then 'f' else '' end, ' ')
  from public.get_bars(p_symbols, p_timeframe, p_from, p_to, p_limit, p_after, true, p_as_of => p_as_of) as b
$$;

select is(
  pg_temp.rows(array['ACME'], '5m', '2025-07-01 00:00+00', '2025-07-01 04:00+00'),
  '00:10=2 00:15=2f 00:20=2f 00:25=2f 00:30=2f 00:35=2f 00:40=2f 00:45=2f 00:50=4 00:55=4f 03:00=4f 03:05=4f 03:10=6',
  'windows without a bar have the last close, within the session, from the first bar to what is decided'
);
select is(
  (
    select to_jsonb(b) from public.get_bars(array['ACME'], '5m', '2025-07-01 00:15+00', '2025-07-01 00:20+00', p_fill => true) as b
  ),
  '{
    "canonical_symbol": "ACME", "timeframe": "5m", "ts_utc": "2025-07-01T00:15:00+00:00", "open": 2, "high": 2, "low": 2, "close": 2, "vol": 0,
    "vwap": null, "trade_count": 0, "quality_score": null, "covered_minutes": 0, "expected_minutes": null, "is_partial": false, "is_filled": true,
    "is_forming": false, "updated_at": null
  }',
  'a filled window says so, and takes the close from before the range'
);
select is(
  pg_temp.rows(array['ACME'], '5m', '2025-07-01 00:52+00', '2025-07-01 03:06+00'), '00:55=4f 03:00=4f 03:05=4f',
  'windows that start in the range are filled'
);
select is(
  pg_temp.rows(array['ACME'], '5m', '2025-07-01 00:20+00', p_limit => 3), '00:20=2f 00:25=2f 00:30=2f', 'p_limit counts filled windows'
);
select is(
  pg_temp.rows(array['ACME'], '5m', p_limit => 4), '00:55=4f 03:00=4f 03:05=4f 03:10=6', 'the latest rows before p_to count filled windows'
);
select is(
  pg_temp.rows(array['ACME'], '5m', p_to => '2025-07-01 03:05+00', p_limit => 3), '00:50=4 00:55=4f 03:00=4f',
  'the latest rows may end in filled ones'
);
select is(pg_temp.rows(array['ACME'], '5m', p_limit => 100), pg_temp.rows(array['ACME'], '5m', '2025-07-01 00:00+00'), 'the latest rows are all where there are few');
select is(
  pg_temp.rows(array['ACME'], '1m', '2025-07-01 00:12+00', '2025-07-01 00:17+00'), '00:12=2 00:13=2 00:14=2 00:15=2f 00:16=2f',
  'minutes without a bar are filled between bars'
);
select is(
  pg_temp.rows(array['ACME'], '1m', '2025-07-01 03:13+00'), '03:13=6 03:14=6', 'minutes after the last bar may come yet'
);
select is(
  pg_temp.rows(array['ACME'], '1m', p_to => '2025-07-01 03:01+00', p_limit => 3), '00:58=4f 00:59=4f 03:00=4f', 'the latest minutes skip the time in which the market is closed'
);
select is(
  pg_temp.rows(array['ALWAYS'], '5m', '2025-07-01 00:00+00'), '00:00=2 00:05=2f 00:10=3', 'without a session every window is filled'
);
select is(
  pg_temp.rows(array['ALWAYS', 'ACME'], '5m', '2025-07-01 00:00+00', p_limit => 3, p_after => '{"canonical_symbol": "ACME", "ts_utc": "2025-07-01T03:05:00Z"}'),
  '03:10=6 00:00=2 00:05=2f', 'pages of filled windows follow each other, over symbols'
);
select is(
  pg_temp.rows(array['ACME'], '5m', p_limit => 4, p_after => '{"canonical_symbol": "ACME", "ts_utc": "2025-07-01T03:00:00Z"}'), '03:05=4f 03:10=6',
  'so do pages of the latest rows'
);
select is(pg_temp.rows(array['NONE', 'CLOSED'], '5m'), null, 'a series without a bar has nothing to fill with');
select is(
  (select count(*) from public.get_bars(array['ACME'], '5m', '-infinity', 'infinity', 2147483647, null, true, true)), 13::bigint, 'whatever the range and the limit are'
);
select is(
  pg_temp.rows(array['ACME'], '5m', '2025-07-01 00:45+00', p_as_of => now()), '00:45=2f 00:50=4 00:55=4f 03:00=4f 03:05=4f 03:10=6',
  'p_as_of fills between bars'
);

select * from finish();
rollback;
