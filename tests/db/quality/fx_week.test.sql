begin;
select plan(3);

call tests.add_asset('EURUSD', '{
  "start_utc": "2025-03-07T00:00:00Z",
  "session": {"time_zone": "America/New_York", "weekly": [{"open": "Sun 17:00", "close": "Fri 17:00"}]}
}');
-- Every minute over the weekend in which New York changes to summer time: it closes at 22:00 UTC and opens at 21:00 UTC.
call tests.add_minutes('EURUSD', '2025-03-07 20:00+00', '2025-03-10 01:01+00');
call tests.run('2025-03-10 02:00+00');

select results_eq(
  $$
    select d.timeframe, d.ts_utc < '2025-03-08 12:00+00', min(d.ts_utc), max(d.ts_utc), count(*)
    from public.derived_data_bars as d
    where d.canonical_symbol = 'EURUSD' and d.deleted_at is null
    group by 1, 2
    order by 1, 2 desc
  $$,
  $$
    values
      ('1h', true, timestamptz '2025-03-07 20:00+00', timestamptz '2025-03-07 21:00+00', 2::bigint),
      ('1h', false, '2025-03-09 21:00+00', '2025-03-10 00:00+00', 4),
      ('5m', true, '2025-03-07 20:00+00', '2025-03-07 21:55+00', 24),
      ('5m', false, '2025-03-09 21:00+00', '2025-03-10 00:55+00', 48)
  $$,
  'build_windows() makes bars up to Friday 17:00 and from Sunday 17:00 New York time on, on both sides of the change'
);
select is_empty(
  $$ select d.ts_utc from public.derived_data_bars as d where d.canonical_symbol = 'EURUSD' and d.deleted_at is null and d.quality_score <> 2 $$,
  'build_windows() gives every full window of the week the score 2'
);
select results_eq(
  $$ select s.timeframe, s.last_agg_bar_ts_utc from public.data_agg_state as s where s.canonical_symbol = 'EURUSD' order by 1 $$,
  $$ values ('1h', timestamptz '2025-03-10 00:00+00'), ('5m', timestamptz '2025-03-10 01:00+00') $$,
  'agg_run_due() crosses the weekend'
);

select * from finish();
rollback;
