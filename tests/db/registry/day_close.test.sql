begin;
select plan(13);

call tests.clear();
call tests.add_asset('PLAIN', '{"optional": ["15m", "4h", "1d", "1w"]}');
call tests.add_asset('EURUSD', '{"optional": ["4h", "1d", "1w"], "session": "fx", "calendar": "FX", "day_close": {"time": "17:00", "time_zone": "America/New_York"}}');
call tests.add_asset('FX_UTC', '{"optional": ["4h", "1d", "1w"], "session": "fx"}');
call tests.add_asset('BTC_NY', '{"optional": ["1d", "1w"], "day_close": {"time": "17:00", "time_zone": "America/New_York"}}');
call tests.add_asset('BTC_22', '{"optional": ["1d", "1w"], "session": "24x7", "day_close": {"time": "22:00", "time_zone": "UTC"}}');
call tests.add_asset('BTC_06', '{"optional": ["1w"], "day_close": {"time": "06:00", "time_zone": "UTC"}}');
call tests.add_asset('ES', '{"optional": ["1w"], "session": "cme_globex", "day_close": {"time": "16:00", "time_zone": "America/Chicago"}}');
call tests.add_asset('ACME', '{"optional": ["1d", "1w"], "session": "us_equity", "day_close": {"time": "00:00", "time_zone": "America/New_York"}}');
call tests.add_asset('BHP', '{"optional": ["1w"], "session": {"time_zone": "Australia/Sydney", "weekly": [
  {"open": "Mon 10:00", "close": "Mon 16:00"}, {"open": "Tue 10:00", "close": "Tue 16:00"}, {"open": "Wed 10:00", "close": "Wed 16:00"},
  {"open": "Thu 10:00", "close": "Thu 16:00"}, {"open": "Fri 10:00", "close": "Fri 16:00"}
]}}');
call tests.add_asset('NIFTY', '{"optional": ["4h", "1d"], "mandatory": ["1w"], "day_close": {"time": "00:00", "time_zone": "Asia/Kolkata"}}');
call tests.add_asset('SPLIT', '{"optional": ["1d"], "day_close": {"time": "17:30", "time_zone": "America/New_York"}}');
call tests.add_asset('ISLAND', '{"optional": ["1d"], "day_close": {"time": "00:00", "time_zone": "Australia/Lord_Howe"}}');
call tests.add_asset('KOLKATA_HALF', '{"optional": ["1d"], "day_close": {"time": "05:30", "time_zone": "Asia/Kolkata"}}');
call tests.add_asset('ALL_WEEK', '{"optional": ["1w"], "session": {"time_zone": "UTC", "weekly": [{"open": "Wed 00:00", "close": "Tue 12:00"}, {"open": "Tue 12:00", "close": "Wed 00:00"}]}}');
call tests.add_asset('SUN_THU', '{"optional": ["1w"], "session": {"time_zone": "Asia/Riyadh", "weekly": [
  {"open": "Sun 10:00", "close": "Sun 15:00"}, {"open": "Mon 10:00", "close": "Mon 15:00"}, {"open": "Tue 10:00", "close": "Tue 15:00"},
  {"open": "Wed 10:00", "close": "Wed 15:00"}, {"open": "Thu 10:00", "close": "Thu 15:00"}
]}}');

select results_eq(
  $$
    select s.canonical_symbol, s.timeframe, s.window_time_zone, s.window_origin
    from public.data_agg_state as s
    where s.timeframe in ('1d', '1w') or s.canonical_symbol in ('PLAIN', 'EURUSD', 'FX_UTC')
    order by s.canonical_symbol, s.run_interval_minutes
  $$,
  $$
    values
      ('ACME', '1d', 'America/New_York', timestamp '2000-01-03 00:00'), ('ACME', '1w', 'America/New_York', '2000-01-03 00:00'),
      ('ALL_WEEK', '1w', null, '2000-01-03 00:00'),
      ('BHP', '1w', null, '2000-01-02 00:00'),
      ('BTC_06', '1w', null, '2000-01-03 06:00'),
      ('BTC_22', '1d', null, '2000-01-02 22:00'), ('BTC_22', '1w', null, '2000-01-02 22:00'),
      ('BTC_NY', '1d', 'America/New_York', '2000-01-02 17:00'), ('BTC_NY', '1w', 'America/New_York', '2000-01-02 17:00'),
      ('ES', '1w', 'America/Chicago', '2000-01-02 16:00'),
      ('EURUSD', '5m', null, '2000-01-03 00:00'), ('EURUSD', '1h', null, '2000-01-03 00:00'),
      ('EURUSD', '4h', 'America/New_York', '2000-01-02 17:00'), ('EURUSD', '1d', 'America/New_York', '2000-01-02 17:00'),
      ('EURUSD', '1w', 'America/New_York', '2000-01-02 17:00'),
      ('FX_UTC', '5m', null, '2000-01-03 00:00'), ('FX_UTC', '1h', null, '2000-01-03 00:00'),
      ('FX_UTC', '4h', null, '2000-01-03 00:00'), ('FX_UTC', '1d', null, '2000-01-03 00:00'), ('FX_UTC', '1w', null, '2000-01-02 00:00'),
      ('ISLAND', '1d', 'Australia/Lord_Howe', '2000-01-03 00:00'),
      ('KOLKATA_HALF', '1d', 'Asia/Kolkata', '2000-01-03 05:30'),
      ('NIFTY', '1d', 'Asia/Kolkata', '2000-01-03 00:00'), ('NIFTY', '1w', 'Asia/Kolkata', '2000-01-03 00:00'),
      ('PLAIN', '5m', null, '2000-01-03 00:00'), ('PLAIN', '15m', null, '2000-01-03 00:00'), ('PLAIN', '1h', null, '2000-01-03 00:00'),
      ('PLAIN', '4h', null, '2000-01-03 00:00'), ('PLAIN', '1d', null, '2000-01-03 00:00'), ('PLAIN', '1w', null, '2000-01-03 00:00'),
      ('SPLIT', '1d', 'America/New_York', '2000-01-03 00:00'::timestamp - interval '6 hours 30 minutes'),
      ('SUN_THU', '1w', null, '2000-01-02 00:00')
  $$,
  'days begin at day_close, and weeks with the day in which the first session opens'
);
select results_eq(
  $$
    select s.canonical_symbol, string_agg(s.timeframe || ' ' || s.source_timeframe, ', ' order by s.run_interval_minutes)
    from public.data_agg_state as s
    where s.run_interval_minutes > 60 and s.canonical_symbol in ('PLAIN', 'EURUSD', 'NIFTY', 'SPLIT', 'ISLAND', 'KOLKATA_HALF')
    group by 1
    order by 1
  $$,
  $$
    values
      ('EURUSD', '4h 1h, 1d 1h, 1w 1h'), ('ISLAND', '1d 5m'), ('KOLKATA_HALF', '1d 1h'), ('NIFTY', '4h 5m, 1d 5m, 1w 5m'), ('PLAIN', '4h 1h, 1d 1h, 1w 1h'),
      ('SPLIT', '1d 5m')
  $$,
  'bars of days that do not begin on a whole hour of UTC are built from 5m'
);
select results_eq(
  $$
    select s.canonical_symbol, agg.window_origin(interval '336 hours', r.metadata #> '{agg,day_close}', r.metadata #> '{agg,session}')
    from public.data_agg_state as s
    join public.core_asset_registry_all as r using (canonical_symbol)
    where s.timeframe = '1w'
    order by 1
  $$,
  $$ select s.canonical_symbol, s.window_origin from public.data_agg_state as s where s.timeframe = '1w' order by 1 $$,
  'windows of several weeks begin with a week'
);
select results_eq(
  $$ select s.timeframe, s.is_mandatory from public.data_agg_state as s where s.canonical_symbol = 'NIFTY' order by s.run_interval_minutes $$,
  $$ values ('5m', true), ('1h', true), ('4h', false), ('1d', false), ('1w', true) $$,
  'an asset may make a timeframe mandatory'
);
select results_eq(
  $$
    select s.timeframe, s.last_agg_bar_ts_utc, s.next_run_at
    from public.data_agg_state as s
    where s.canonical_symbol = 'EURUSD' and s.run_interval_minutes > 60
    order by s.run_interval_minutes
  $$,
  $$
    values
      -- The start is Tuesday 1 July 2025 00:00 UTC, which is Monday 20:00 in New York.
      -- It has a session, so that each runs at once: its first windows may be closed ones.
      ('4h', timestamptz '2025-06-30 21:00Z', timestamptz '2025-06-30 21:00Z'), ('1d', '2025-06-30 21:00Z', '2025-06-30 21:00Z'),
      ('1w', '2025-06-29 21:00Z', '2025-06-29 21:00Z')
  $$,
  'a new task begins with the first whole window after the start'
);

create function pg_temp.refusal(p_agg jsonb) returns text
language plpgsql as $$
begin
  call tests.add_asset('BAD', p_agg);
  return 'accepted';
exception when invalid_parameter_value then
  return sqlerrm;
end;
$$;
select results_eq(
  $$
    select pg_temp.refusal(jsonb_build_object('day_close', c.day_close))
    from unnest(array[
      jsonb '"17:00"', 'null', '{"time": "17:00"}', '{"time": "5 pm", "time_zone": "UTC"}', '{"time": "17:03", "time_zone": "UTC"}',
      '{"time": "24:00", "time_zone": "UTC"}', '{"time": "17:00", "time_zone": "EST"}', '{"time": "17:00", "time_zone": "UTC", "zone": 1}', '[]'
    ]) with ordinality as c (day_close, n)
    order by c.n
  $$,
  $$
    select 'metadata of BAD: agg.day_close must be a local time in steps of five minutes and its time zone, such as '
      '{"time": "17:00", "time_zone": "America/New_York"}, not ' || c.day_close::text
    from unnest(array[
      jsonb '"17:00"', 'null', '{"time": "17:00"}', '{"time": "5 pm", "time_zone": "UTC"}', '{"time": "17:03", "time_zone": "UTC"}',
      '{"time": "24:00", "time_zone": "UTC"}', '{"time": "17:00", "time_zone": "EST"}', '{"time": "17:00", "time_zone": "UTC", "zone": 1}', '[]'
    ]) with ordinality as c (day_close, n)
    order by c.n
  $$,
  'a day_close that is no time, no zone or something else is refused'
);

-- Thin markets.
call tests.add_asset('THIN', '{"sparse": true, "quality": {"good": 90, "poor": 70}}');
call tests.add_asset('THICK', '{"sparse": false, "quality": {"poor": 70}}');
select results_eq(
  $$ select s.canonical_symbol, s.good_percent::integer, s.poor_percent::integer from public.data_agg_state as s where s.canonical_symbol ~ '^THI' and s.timeframe = '5m' order by 1 $$,
  $$ values ('THICK', 80, 70), ('THIN', 90, 0) $$,
  'a sparse asset has no threshold for poor bars'
);
select is(pg_temp.refusal('{"sparse": "yes"}'), 'metadata of BAD: agg.sparse must be true or false, not "yes"', 'sparse is true or false');

-- Another day: bars that no longer start a window go, the task starts over, and hours are left alone.
call tests.clear();
call tests.add_asset('GOLD', '{"optional": ["4h", "1d"]}');
insert into public.derived_data_bars (
  canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe, source_candles, expected_candles,
  covered_minutes, expected_minutes, quality_score
)
select 'GOLD', b.timeframe, b.ts_utc, 1, 1, 1, 1, '1h', 4, 4, 240, 240, 2
from (
  select '4h', h.ts_utc from generate_series(timestamptz '2025-10-31 00:00Z', '2025-11-03 20:00Z', interval '4 hours') as h (ts_utc)
  union all
  select '1h', h.ts_utc from generate_series(timestamptz '2025-10-31 00:00Z', '2025-11-03 23:00Z', interval '1 hour') as h (ts_utc)
) as b (timeframe, ts_utc);
update public.data_agg_state as s
set
  last_agg_bar_ts_utc = case s.timeframe when '4h' then '2025-11-03 20:00Z' else '2025-11-03 23:00Z' end::timestamptz, hard_fail_streak = 1, fail_streak = 2,
  running_started_at_utc = now(), status = 'running'
where s.canonical_symbol = 'GOLD' and s.timeframe in ('1h', '4h');
call tests.set_metadata('GOLD', '{agg,day_close}', '{"time": "16:00", "time_zone": "America/New_York"}');
select results_eq(
  $$
    select s.timeframe, s.window_time_zone, s.window_origin, s.last_agg_bar_ts_utc, s.built_to_utc, s.status, s.fail_streak, s.running_started_at_utc is null, s.next_run_at
    from public.data_agg_state as s
    where s.canonical_symbol = 'GOLD' and s.timeframe in ('1h', '4h')
    order by s.run_interval_minutes
  $$,
  $$
    values
      ('1h', null, timestamp '2000-01-03 00:00', timestamptz '2025-11-03 23:00Z', null::timestamptz, 'running', 2, false, (
        select s.next_run_at from public.data_agg_state as s where s.canonical_symbol = 'GOLD' and s.timeframe = '1h'
      )),
      ('4h', 'America/New_York', '2000-01-02 16:00', '2025-06-30 20:00Z', '2025-11-03 21:00Z', 'idle', 0, true, '2025-07-01 04:05Z')
  $$,
  'a task whose windows begin elsewhere starts over'
);
select results_eq(
  $$
    select d.ts_utc, d.covered_minutes
    from public.derived_data_bars as d
    where d.canonical_symbol = 'GOLD' and d.timeframe = '4h' and d.deleted_at is null
    order by 1
  $$,
  -- 16:00, 20:00, 00:00, 04:00, 08:00, 12:00 of New York: until the change at 20:00Z, 00:00Z, and so on, then at 21:00Z, 01:00Z.
  $$ select h.ts_utc, 240 from generate_series(timestamptz '2025-10-31 00:00Z', '2025-11-02 04:00Z', interval '4 hours') as h (ts_utc) $$,
  'its bars that start no window are soft-deleted'
);
select is_empty(
  $$ select d.ts_utc from public.derived_data_bars as d where d.timeframe = '4h' and d.deleted_at is not null and d.covered_minutes <> 0 $$,
  'and are no source'
);
select is(
  (select count(*) from public.derived_data_bars as d where d.timeframe = '1h' and d.deleted_at is null), 96::bigint, 'hours stay'
);
select is(
  public.sync_agg_state_from_registry() -> 'updated', '0', 'repeating the sync changes nothing'
);

select * from finish();
rollback;
