-- Timeframes of one's own above an hour, whose days begin at any five minutes, with a session, from 5m and from 1m.
begin;
select plan(7);

call tests.clear();
insert into agg.timeframe values
  ('2h', '2 hours', '1m', false), ('6h', '6 hours', '5m', false), ('8h', '8 hours', '5m', false), ('20m', '20 minutes', '5m', true);
insert into agg.timeframe values ('12h', '12 hours', '20m', false);
call tests.add_asset('NIFTY', '{
  "start_utc": "2026-10-04T00:00:00Z", "optional": ["2h", "6h"], "day_close": {"time": "00:00", "time_zone": "Asia/Kolkata"},
  "session": {"time_zone": "Asia/Kolkata", "weekly": [{"open": "Mon 09:15", "close": "Mon 15:30"}]}
}');
call tests.add_minutes('NIFTY', '2026-10-05 03:45+00', '2026-10-05 10:00+00');
call tests.add_asset('LATE', '{
  "start_utc": "2026-11-01T00:00:00Z", "optional": ["8h"], "day_close": {"time": "00:00", "time_zone": "Asia/Kolkata"}
}');
call tests.add_minutes('LATE', '2026-11-02 00:00+00', '2026-11-04 00:00+00', p_without => array[timestamptz '2026-11-03 05:00+00']);
call tests.add_asset('ODD', '{"start_utc": "2026-11-01T00:00:00Z", "optional": ["12h"], "day_close": {"time": "17:05", "time_zone": "America/New_York"}}');
call tests.add_minutes('ODD', '2026-11-02 00:00+00', '2026-11-04 00:00+00');
call tests.run('2026-11-04 00:10+00');
select set_eq(
  $$
    select s.canonical_symbol, s.timeframe, s.source_timeframe from public.data_agg_state as s
    where s.enabled and s.timeframe in ('2h', '6h', '8h', '12h')
  $$,
  $$ values ('NIFTY', '2h', '1m'), ('NIFTY', '6h', '5m'), ('LATE', '8h', '5m'), ('ODD', '12h', '5m') $$, 'what they are built from'
);
select results_eq(
  $$
    select d.ts_utc, d.covered_minutes, d.expected_minutes, d.quality_score::integer from public.derived_data_bars as d
    where d.canonical_symbol = 'NIFTY' and d.timeframe = '6h' and d.deleted_at is null order by 1
  $$,
  $$ values (timestamptz '2026-10-05 00:30+00', 165, 165, 2), ('2026-10-05 06:30+00', 210, 210, 2) $$, 'windows of a session, from 5m'
);
select results_eq(
  $$
    select d.ts_utc, d.covered_minutes, d.expected_minutes, d.quality_score::integer from public.derived_data_bars as d
    where d.canonical_symbol = 'NIFTY' and d.timeframe = '2h' and d.deleted_at is null order by 1
  $$,
  $$ values (timestamptz '2026-10-05 02:30+00', 45, 45, 2), ('2026-10-05 04:30+00', 120, 120, 2), ('2026-10-05 06:30+00', 120, 120, 2), ('2026-10-05 08:30+00', 90, 90, 2) $$,
  'windows of a session, from minutes'
);
select is(
  (select d.covered_minutes from public.derived_data_bars as d where d.canonical_symbol = 'LATE' and d.timeframe = '8h' and d.ts_utc = '2026-11-03 02:30+00'),
  479, 'a window that lacks a minute'
);
call tests.add_minute('LATE', '2026-11-03 05:00+00', 9);
call tests.run('2026-11-04 00:11+00');
select is(
  (
    select row(d.covered_minutes, d.high)::text from public.derived_data_bars as d
    where d.canonical_symbol = 'LATE' and d.timeframe = '8h' and d.ts_utc = '2026-11-03 02:30+00'
  ),
  '(480,9)', 'gets it when it comes'
);
select is(
  (select count(*) from public.derived_data_bars as d where d.canonical_symbol = 'ODD' and d.timeframe = '12h' and d.covered_minutes = 720),
  3::bigint, 'days that begin five minutes past'
);
select is_empty('select * from public.agg_verify()', 'agg_verify finds nothing');

select * from finish();
rollback;
