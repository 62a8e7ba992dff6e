begin;
select plan(8);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-02 00:00+00');
-- One window that cannot be stored, in a day of 288.
update public.data_bars as b set high = 13 where b.ts_utc = '2025-07-01 12:02+00';
alter table public.derived_data_bars add constraint no_thirteen check (high <> 13 or deleted_at is not null);

select is(
  public.agg_run_due(p_now => '2025-07-02 00:05+00') - array['batches', 'windows', 'tasks'],
  '{"failed": 1, "bars_created": 311, "bars_corrected": 0, "bars_quality_poor": 0, "stopped_reason": "idle"}',
  'agg_run_due() builds every other window of the day, before and after the bad one'
);
select results_eq(
  $$ select s.timeframe, s.last_agg_bar_ts_utc, s.status, s.hard_fail_streak from public.data_agg_state as s order by 1 $$,
  $$ values ('1h', timestamptz '2025-07-01 23:00+00', 'idle', 0), ('5m', '2025-07-01 23:55+00', 'idle', 0) $$,
  'the cursors pass it, and the tasks have not failed'
);
select results_eq(
  $$ select p.timeframe, p.windows, p.from_utc from public.agg_pending('2025-07-02 00:05+00') as p order by 1 $$,
  $$ values ('5m', 1::bigint, timestamptz '2025-07-01 12:00+00') $$,
  'agg_pending() shows that it waits to be built again'
);
select matches(
  (select k.error from agg.correction as k), '^\[2025-07-01 12:00:00\+00, 2025-07-01 12:05:00\+00\): .*no_thirteen.* \(23514\)$',
  'its error names the window and the constraint'
);
select is(
  (select d.covered_minutes from public.derived_data_bars as d where d.timeframe = '1h' and d.ts_utc = '2025-07-01 12:00+00'), 55,
  'its hour is built without it'
);

-- At the frontier there is no other window of the task: then the task fails, and says where.
call tests.add_minutes('ACME', '2025-07-02 00:00+00', '2025-07-02 00:05+00', p_high => 13);
call tests.run('2025-07-02 00:10+00');
select matches(
  (select s.last_error from public.data_agg_state as s where s.timeframe = '5m'), '^\[2025-07-02 00:00:00\+00, 2025-07-02 00:05:00\+00\): .*no_thirteen',
  'last_error names the window and the constraint'
);

alter table public.derived_data_bars drop constraint no_thirteen;
call tests.run('2025-07-02 02:10+00');
select is(
  (select d.covered_minutes from public.derived_data_bars as d where d.timeframe = '1h' and d.ts_utc = '2025-07-01 12:00+00'), 60,
  'once it can be stored it is, and its hour with it'
);
select is_empty('select v.* from public.agg_verify() as v', 'nothing differs then from its source');

select * from finish();
rollback;
