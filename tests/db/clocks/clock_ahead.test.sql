begin;
select plan(10);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
call tests.run('2025-07-01 01:05+00');
-- For a moment the clock is a day ahead.
call tests.run('2025-07-02 01:05+00');
select results_eq(
  $$ select s.timeframe, s.next_run_at from public.data_agg_state as s order by 1 $$,
  $$ values ('1h', timestamptz 'infinity'), ('5m', 'infinity') $$,
  'a run with a clock a day ahead lets every task sleep'
);

call tests.add_minutes('ACME', '2025-07-01 01:00+00', '2025-07-01 01:10+00');
select is(
  (select concat_ws(': ', h.state, h.explanation) from public.agg_health('2025-07-01 01:15+00') as h where h.timeframe = '5m'),
  'waiting_for_data: no source bar after 2025-07-01 01:00:00+00 when it last ran, at 2025-07-02 01:05:00+00: sleeps until one arrives',
  'agg_health() says when it was that a task found no source bar'
);
select is(
  public.agg_run_due(p_now => '2025-07-01 01:15+00') -> 'bars_created', '2',
  'agg_run_due() runs at once what a wrong clock has let sleep, when bars arrive'
);
select is(
  (select max(s.next_run_at) from public.data_agg_state as s where s.next_run_at < 'infinity') <= '2025-07-01 02:15+00', true,
  'agg_run_due() dates tasks by the clock of the run'
);
select is(
  public.agg_run_due(p_now => '2025-07-01 01:15+00') -> 'tasks', '0', 'agg_run_due() makes nothing due that waits for its next window'
);

-- A start in the future is not a wrong clock.
call tests.add_asset('LATER', '{"start_utc": "2025-08-01T00:00:00Z"}');
select is(
  public.agg_run_due(p_now => '2025-07-01 01:15+00') -> 'tasks', '0', 'agg_run_due() leaves a task alone whose start is to come'
);

-- A claim and a correction that a clock ahead has dated.
do $$ begin perform public.agg_start('ACME', '1h', '2025-07-02 00:00+00'); end; $$;
select is(agg.recover_abandoned_claims('2025-07-01 01:16+00'), 1, 'a claim that begins a day from now is taken back');
insert into agg.correction (canonical_symbol, timeframe, spans, changed_at, failures, retry_at, error)
values ('ACME', '5m', '{[2025-07-01 00:00+00, 2025-07-01 00:05+00)}', '2025-07-02 00:00+00', 1, '2025-07-02 00:10+00', 'broken');
do $$ begin perform public.agg_maintain(p_now => '2025-07-01 01:16+00'); end; $$;
call tests.run('2025-07-01 01:16+00');
select is_empty('select k.correction_id from agg.correction as k', 'a correction that is put off until tomorrow is made after agg_maintain()');

update public.data_agg_state as s set next_run_at = '9999-12-31 00:00+00';
select is(
  public.agg_maintain(p_now => '2025-07-01 02:10+00') -> 'tasks_recovered', '4', 'agg_maintain() makes due what is put off for thousands of years'
);
select is(
  (public.agg_run_due(p_now => '2025-07-01 02:10+00') -> 'tasks')::integer >= 2, true, 'agg_run_due() runs it'
);

select * from finish();
rollback;
