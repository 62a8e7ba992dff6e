begin;
select plan(11);

call tests.clear();
call tests.add_asset('ACME', '{"start_utc": "2025-06-30T00:00:00Z", "optional": ["1d"], "day_close": {"time": "17:00", "time_zone": "America/New_York"}}');
call tests.add_asset('CLOSES', '{"session": {"time_zone": "UTC", "weekly": [{"open": "Tue 00:00", "close": "Tue 00:58"}]}}');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 02:13+00', 2, 3, 10);
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
values ('ACME', '2025-07-01 02:13+00', 2, 5, 1, 4, 5, 3, 7), ('ACME', '2025-07-01 02:14+00', 4, 4, 4, 4, 0, 4, null);
call tests.add_minutes('CLOSES', '2025-07-01 00:00+00', '2025-07-01 01:10+00', 2);
call tests.run('2025-07-01 02:15+00');

create function pg_temp.rows(p_symbol text, p_timeframe text, p_from timestamptz, p_limit integer default 1000, p_fill boolean default false)
returns text language sql as $$
  select string_agg(
    to_char(b.ts_utc at time zone 'UTC', 'DD HH24:MI') || '=' || b.covered_minutes
      || case when b.is_forming then 'p' when b.is_filled then 'f' else '' end, ' '
  )
  from public.get_bars(array[p_symbol], p_timeframe, p_from, null, p_limit, null, p_fill, true) as b
$$;

select is(
  pg_temp.rows('ACME', '5m', '2025-07-01 02:00+00'), '01 02:00=5 01 02:05=5 01 02:10=5p', 'the window that is not decided comes from the minutes so far'
);
select is(pg_temp.rows('ACME', '1h', '2025-07-01 01:00+00'), '01 01:00=60 01 02:00=15p', 'in hours as well');
select is(pg_temp.rows('ACME', '1d', '2025-06-30 00:00+00'), '30 21:00=135p', 'and in days, which begin on the clock of the market');
select is(
  (select to_jsonb(b) - 'updated_at' from public.get_bars(array['ACME'], '5m', p_limit => 1, p_forming => true) as b),
  '{
    "canonical_symbol": "ACME", "timeframe": "5m", "ts_utc": "2025-07-01T02:10:00+00:00", "open": 2, "high": 5, "low": 1, "close": 4, "vol": 35,
    "vwap": 3, "trade_count": 7, "quality_score": null, "covered_minutes": 5, "expected_minutes": null, "is_partial": true, "is_filled": false,
    "is_forming": true
  }',
  'it is marked, and made as bars are'
);
select is(pg_temp.rows('ACME', '5m', null, 2), '01 02:05=5 01 02:10=5p', 'it is the latest');
select is(
  (select count(*) from public.get_bars(array['ACME'], '5m', '2025-07-01 02:10+00', p_forming => false)), 0::bigint, 'it is there only where asked for'
);
select is(pg_temp.rows('ACME', '1m', '2025-07-01 02:13+00'), '01 02:13=1 01 02:14=1', 'minutes are never forming');
select is(pg_temp.rows('CLOSES', '1h', null), '01 00:00=58', 'minutes outside the session make no window');
delete from public.data_bars as b where b.canonical_symbol = 'ACME' and b.ts_utc between '2025-07-01 01:30+00' and '2025-07-01 02:09+00';
call tests.run('2025-07-01 02:15+00');
select is(
  pg_temp.rows('ACME', '5m', '2025-07-01 01:50+00', p_fill => true), '01 01:50=0f 01 01:55=0f 01 02:00=0f 01 02:05=0f 01 02:10=5p',
  'windows before it are filled'
);

-- A window that forms, a gap, and one more: a part of the answer is filled as the whole is.
call tests.add_asset('LAGS', '{"start_utc": "2025-07-01T10:00:00Z"}');
call tests.add_minutes('LAGS', '2025-07-01 10:00+00', '2025-07-01 10:05+00', 1);
call tests.run('2025-07-01 10:10+00');
call tests.add_minute('LAGS', '2025-07-01 10:07+00', 2);
call tests.add_minute('LAGS', '2025-07-01 10:22+00', 3);
create function pg_temp.closes(p_from timestamptz, p_after jsonb default null) returns text language sql as $$
  select string_agg(to_char(b.ts_utc at time zone 'UTC', 'HH24:MI') || '=' || b.close, ' ')
  from public.get_bars(array['LAGS'], '5m', p_from, p_after => p_after, p_fill => true, p_forming => true) as b
$$;
select is(pg_temp.closes('2025-07-01 10:00+00'), '10:00=1 10:05=2 10:10=2 10:15=2 10:20=3', 'the whole');
select is(
  array[
    pg_temp.closes('2025-07-01 10:10+00'), pg_temp.closes('2025-07-01 10:06+00'),
    pg_temp.closes('2025-07-01 10:00+00', '{"canonical_symbol": "LAGS", "ts_utc": "2025-07-01T10:05:00Z"}')
  ],
  array['10:10=2 10:15=2 10:20=3', '10:10=2 10:15=2 10:20=3', '10:10=2 10:15=2 10:20=3'], 'from a later time, and a page'
);

select * from finish();
rollback;
