begin;
select plan(14);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_asset('BETA', '{"optional": ["1d"]}');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 03:00+00');
call tests.add_minutes('BETA', '2025-07-01 00:00+00', '2025-07-01 03:00+00');
call tests.run('2025-07-01 03:06+00');
-- The clock of the test is in 2025; updated_at holds the wall clock, so it is set back.
create function pg_temp.fleet(p_now timestamptz) returns jsonb
language plpgsql as $$
begin
  update public.data_agg_state as s set updated_at = '2025-07-01 00:00+00';
  return public.agg_fleet(p_now);
end;
$$;

select is(
  pg_temp.fleet('2025-07-01 03:06+00') - 'states',
  '{
    "now": "2025-07-01T03:06:00+00:00", "paused": null, "timeframes": ["5m", "1h", "1d"], "tasks": [5, 0, 0, 0], "looks": 0, "look": [],
    "assets": [
      ["ACME", 0, [["current", 0, 0], ["current", 0, 0], null]],
      ["BETA", 0, [["current", 0, 0], ["current", 0, 0], ["current", 0, 0]]]
    ]
  }',
  'agg_fleet() has a cell for each task, by length of the timeframe, and null where there is no task'
);
select is(pg_temp.fleet('2025-07-01 03:06+00') #>> '{states,waiting_for_data}', 'waits for data', 'it has the words of the states');

call tests.add_minutes('ACME', '2025-07-01 03:00+00', '2025-07-01 03:20+00');
call tests.run('2025-07-01 03:26+00');
select is(
  pg_temp.fleet('2025-07-01 03:26+00') #> '{assets,0}', '["BETA", 1, [["waiting_for_data", 960, 1], ["current", 0, 0], ["current", 0, 0]]]',
  'an asset that waits comes first, with its lag in seconds'
);
select is(pg_temp.fleet('2025-07-01 03:26+00') -> 'looks', '0', 'nothing has to be looked at while a task waits');

call tests.fail_three_times('ACME', '5m', '2025-07-01 03:26+00');
call tests.fail_three_times('BETA', '1d', '2025-07-01 03:26+00');
select is(
  pg_temp.fleet('2025-07-01 03:26+00') -> 'assets',
  '[
    ["ACME", 3, [["hard_failed", 0, 3], ["current", 0, 0], null]],
    ["BETA", 2, [["waiting_for_data", 960, 1], ["current", 0, 0], ["disabled", 0, 2]]]
  ]',
  'a mandatory task that fails is critical, an optional one a warning'
);
select results_eq(
  $$
    select l.symbol, l.timeframe, l.attention, l.state, l.words, l.explanation ~ 'broken'
    from jsonb_to_recordset(pg_temp.fleet('2025-07-01 03:26+00') -> 'look')
      as l (symbol text, timeframe text, attention integer, state text, words text, explanation text)
  $$,
  $$ values ('ACME', '5m', 3, 'hard_failed', 'failed hard', true), ('BETA', '1d', 2, 'disabled', 'disabled', true) $$,
  'both have to be looked at, the critical one first'
);
select is(pg_temp.fleet('2025-07-01 03:26+00') -> 'tasks', '[2, 1, 1, 1]', 'it counts tasks by attention');

insert into agg.alert (kind, canonical_symbol, timeframe, severity, message, raised_at, resolved_at)
values
  ('hard_failed', 'ACME', '5m', 'critical', 'broken', '2025-07-01 03:20+00', null),
  ('no_data', 'BETA', '1m', 'critical', 'silent', '2025-07-01 03:16+00', null),
  ('poor_quality', 'ACME', '1h', 'warning', 'poor', '2025-07-01 03:16+00', null),
  ('slow', '*', '*', 'warning', 'slow runs', '2025-07-01 03:25+00', null),
  ('behind', 'BETA', '5m', 'critical', 'resolved', '2025-07-01 03:00+00', '2025-07-01 03:10+00');
select results_eq(
  $$
    select l.symbol, l.timeframe, l.attention, l.state, l.lag
    from jsonb_to_recordset(pg_temp.fleet('2025-07-01 03:26+00') -> 'look') as l (symbol text, timeframe text, attention integer, state text, lag bigint)
  $$,
  $$ values
    ('BETA', '1m', 3, 'no_data', 600::bigint), ('ACME', '5m', 3, 'hard_failed', 0), ('ACME', '1h', 2, 'poor_quality', 600),
    ('*', '*', 2, 'slow', 60), ('BETA', '1d', 2, 'disabled', 0)
  $$,
  'an open alert has to be looked at, but not where the task says it itself'
);
select is(
  pg_temp.fleet('2025-07-01 03:26+00') #> '{assets,1}', '["BETA", 3, [["waiting_for_data", 960, 1], ["current", 0, 0], ["disabled", 0, 2]]]',
  'an alert of a timeframe without a task counts for the asset'
);
select is(pg_temp.fleet('2025-07-01 03:26+00') #> '{assets,0,2,1,2}', '2', 'one of a task counts for the task');

do $$ begin perform public.agg_pause('upgrade', '2025-07-01 05:00+00', '2025-07-01 03:26+00'); end; $$;
select is(
  pg_temp.fleet('2025-07-01 03:27+00') -> 'paused', '{"until": "2025-07-01T05:00:00+00:00", "reason": "upgrade"}', 'it tells of a pause'
);
select is(pg_temp.fleet('2025-07-01 05:00+00') -> 'paused', 'null', 'until the pause ends');

insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values ('NEW', '2025-07-01 00:00+00', 1, 1, 1, 1);
select is(
  pg_temp.fleet('2025-07-01 05:00+00') #> '{timeframes}', '["1m", "5m", "1h", "1d"]', 'a symbol that is not registered has a cell for its minutes'
);

call tests.clear();
select is(
  public.agg_fleet('2025-07-01 05:00+00') - 'states',
  '{"now": "2025-07-01T05:00:00+00:00", "paused": null, "timeframes": [], "tasks": [0, 0, 0, 0], "looks": 0, "look": [], "assets": []}',
  'an empty database has no asset'
);

select * from finish();
rollback;
