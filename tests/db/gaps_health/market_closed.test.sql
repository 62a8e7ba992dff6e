begin;
select plan(17);

-- New York closes on 3 July 2025 at 13:00 (17:00 UTC), and opens again on Monday 7 July at 09:30 (13:30 UTC).
call tests.clear();
call tests.add_asset('SPY', '{"start_utc": "2025-07-03T13:00:00Z", "session": "us_equity", "calendar": "XNYS"}');
call tests.add_minutes('SPY', '2025-07-03 13:30+00', '2025-07-03 17:00+00');
call tests.run('2025-07-03 17:10+00');
call tests.add_asset('NEW', '{"start_utc": "2025-07-05T00:00:00Z", "session": "us_equity", "calendar": "XNYS"}');
call tests.add_asset('BTC', '{"start_utc": "2025-07-03T17:00:00Z"}');
-- The clock of the test is in 2025; updated_at holds the wall clock, so it is set back.
update public.data_agg_state as s set updated_at = '2025-07-01 00:00+00';
create function pg_temp.state(p_symbol text, p_timeframe text, p_now timestamptz) returns text
language sql as $$
  select format('%s, lag %s, due for %s', h.state, h.lag, h.due_for)
  from public.agg_health(p_now) as h
  where h.canonical_symbol = p_symbol and h.timeframe = p_timeframe
$$;

select results_eq(
  $$ select s.timeframe, s.decided_to_utc >= '2025-07-03 17:00+00' from agg.task as s where s.canonical_symbol = 'SPY' order by 1 $$,
  $$ values ('1h', true), ('5m', true) $$,
  'every window of the day is decided'
);
select is(
  pg_temp.state('SPY', '5m', '2025-07-03 16:59:59+00'), 'current, lag 00:00:00, due for 00:00:00', 'a clock behind what is decided closes no market'
);
select is(
  pg_temp.state('SPY', '5m', '2025-07-03 17:00+00'), 'market_closed, lag 00:00:00, due for 00:00:00', 'the market closes early by its calendar'
);
select is(
  pg_temp.state('SPY', '5m', '2025-07-06 12:00+00'), 'market_closed, lag 00:00:00, due for 00:00:00',
  'days later it neither lags nor waits for a dispatcher'
);
select is(
  pg_temp.state('SPY', '1h', '2025-07-06 12:00+00'), 'market_closed, lag 00:00:00, due for 00:00:00',
  'nor does a longer timeframe'
);
select is(
  (select h.explanation from public.agg_health('2025-07-06 12:00+00') as h where h.canonical_symbol = 'SPY' and h.timeframe = '5m'),
  'session and calendar are closed until 2025-07-07 13:30:00+00',
  'agg_health() says when it opens'
);
select is(
  pg_temp.state('NEW', '5m', '2025-07-06 12:00+00'), 'market_closed, lag 00:00:00, due for 00:00:00',
  'a task that begins while the market is closed has nothing to do'
);
select is(
  pg_temp.state('BTC', '5m', '2025-07-06 12:00+00'), 'never_ran, lag 2 days 18:50:00, due for 2 days 18:50:00', 'a market that never closes is late meanwhile'
);
select is(
  pg_temp.state('SPY', '5m', '2025-07-07 13:29:59+00'), 'market_closed, lag 00:00:00, due for 00:00:00', 'it is closed up to the last second'
);
select is(
  pg_temp.state('SPY', '5m', '2025-07-07 13:30+00'), 'current, lag 00:00:00, due for 00:00:00', 'once it is open its first window is to come'
);
select is(
  pg_temp.state('SPY', '5m', '2025-07-07 13:41+00'), 'due, lag 00:01:00, due for 00:01:00',
  'the lag counts from the first open window, not from the last decided one'
);
select is(
  pg_temp.state('SPY', '1h', '2025-07-07 14:06+00'), 'waiting_for_source, lag 00:01:00, due for 00:01:00',
  'so it does for hours'
);
select is(
  pg_temp.state('NEW', '5m', '2025-07-07 13:46+00'), 'never_ran, lag 00:06:00, due for 00:06:00',
  'a dispatcher that does not come back is seen'
);

create function pg_temp.behind(p_now timestamptz) returns text
language sql as $$
  select string_agg(h.canonical_symbol || ' ' || h.timeframe, ', ' order by h.canonical_symbol, h.timeframe)
  from agg.refresh_alerts(p_now) as n
  cross join agg.alert as h
  where h.kind = 'behind' and h.resolved_at is null
$$;
do $$ begin perform agg.refresh_alerts('2025-07-06 12:00+00'); end; $$;
select is(pg_temp.behind('2025-07-06 12:00+00'), 'BTC 1h, BTC 5m', 'no alert is raised for a closed market');
do $$ begin perform agg.refresh_alerts('2025-07-07 14:00+00'); end; $$;
select is(pg_temp.behind('2025-07-07 14:00+00'), 'BTC 1h, BTC 5m, NEW 5m, SPY 5m', 'but for an open one');

-- Without its calendar the session of Thursday ends at 20:00 UTC.
update public.data_agg_state as s
set calendar = null, next_run_at = '2025-07-03 18:00+00', last_agg_bar_ts_utc = '2025-07-03 16:55+00'
where s.timeframe = '5m';
select is(
  pg_temp.state('SPY', '5m', '2025-07-03 18:00+00'), 'due, lag 00:50:00, due for 00:00:00', 'what the calendar closes is late without it'
);
-- More than five weeks behind, the closed days between do not count.
update public.data_agg_state as s set last_agg_bar_ts_utc = '2025-05-01 00:00+00', next_run_at = '2025-05-01 00:00+00' where s.timeframe = '5m';
select is(
  pg_temp.state('SPY', '5m', '2025-07-06 12:00+00'), 'overdue, lag 66 days 11:45:00, due for 5 days 12:00:00', 'an old cursor is behind, open or closed'
);

select * from finish();
rollback;
