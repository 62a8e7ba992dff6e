begin;
select plan(6);

-- Friday and Monday of a stock, with a day that closes at midnight UTC.
call tests.add_asset('STOCK', '{"session": "us_equity", "calendar": "XNYS", "optional": ["1d"], "start_utc": "2026-03-02T00:00:00Z"}');
call tests.add_minutes('STOCK', '2026-03-06 14:30+00', '2026-03-06 21:00+00');
call tests.run('2026-03-06 21:05+00');
select results_eq(
  $$
    select s.timeframe, s.last_agg_bar_ts_utc
    from public.data_agg_state as s
    where s.canonical_symbol = 'STOCK'
    order by s.run_interval_minutes
  $$,
  $$ values ('5m', timestamptz '2026-03-09 13:25+00'), ('1h', '2026-03-09 12:00+00'), ('1d', '2026-03-05 00:00+00') $$,
  'agg_run_due() decides what follows the close with the last open window, over the weekend and the change of the clock'
);
call tests.run('2026-03-07 00:05+00');
select results_eq(
  $$
    select d.ts_utc, d.covered_minutes, d.expected_minutes, d.quality_score::integer
    from public.derived_data_bars as d
    where d.timeframe = '1d'
  $$,
  $$ values (timestamptz '2026-03-06 00:00+00', 390, 390, 2) $$,
  'a daily bar is there when its day has ended, not when the market opens again'
);
select is_empty(
  $$ select h.timeframe, h.state from public.agg_health('2026-03-08 12:00+00') as h where h.canonical_symbol = 'STOCK' and h.lag > interval '0' $$,
  'nothing is late while the market is closed'
);
call tests.add_minutes('STOCK', '2026-03-09 13:30+00', '2026-03-09 13:35+00');
call tests.run('2026-03-09 13:40+00');
select is(
  (select max(d.ts_utc) from public.derived_data_bars as d where d.timeframe = '5m' and d.deleted_at is null),
  timestamptz '2026-03-09 13:30+00',
  'the first window after the opening is built like any other'
);

-- A market that opens in two days, by the clock of the database.
call tests.add_asset('LATER', jsonb_build_object(
  'start_utc', to_char(now() - interval '1 day', 'YYYY-MM-DD"T00:00:00Z"'),
  'session', jsonb_build_object('time_zone', 'UTC', 'weekly', jsonb_build_array(jsonb_build_object(
    'open', to_char((now() at time zone 'UTC') + interval '2 days', 'Dy') || ' 00:00',
    'close', to_char((now() at time zone 'UTC') + interval '2 days', 'Dy') || ' 01:00'
  )))
));
call tests.run(now());
select ok(
  (select s.last_agg_bar_ts_utc > now() + interval '1 day' from public.data_agg_state as s where (s.canonical_symbol, s.timeframe) = ('LATER', '5m')),
  'windows of a closed market are decided ahead'
);
update public.core_asset_registry_all as r
set metadata = jsonb_set(r.metadata, '{agg,session}', '"24x7"')
where r.canonical_symbol = 'LATER';
select ok(
  (select bool_and(t.decided_to_utc <= now()) from agg.task as t where t.canonical_symbol = 'LATER'),
  'other hours take the cursors back to now, so that no window is built before it has ended'
);

select * from finish();
rollback;
