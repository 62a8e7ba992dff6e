begin;
select plan(6);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes(
  'ACME', '2025-07-01 00:00+00', '2025-07-01 04:00+00', p_vol => 1, p_without => array[timestamptz '2025-07-01 00:32+00']
);
call tests.run('2025-07-01 05:00+00');
-- Aged, since now() stands still within a transaction.
update public.derived_data_bars as d set updated_at = '2025-07-02 00:00+00';
create temporary table task_before as
select s.canonical_symbol, s.timeframe, s.last_agg_bar_ts_utc, s.total_bars_created from public.data_agg_state as s;

-- The late minute is the highest of its hour.
call tests.add_minutes('ACME', '2025-07-01 00:32+00', '2025-07-01 00:33+00', p_high => 9, p_vol => 1);
select is(
  public.agg_run_due(p_now => '2025-07-01 05:00+00') - array['tasks', 'windows', 'batches'],
  '{"bars_created": 0, "bars_quality_poor": 0, "bars_corrected": 2, "failed": 0, "stopped_reason": "idle"}',
  'agg_run_due() counts the bars that a late minute changes as corrected, not as created'
);
select results_eq(
  $$
    select d.timeframe, d.ts_utc, d.high, d.vol, d.covered_minutes, d.quality_score::integer
    from public.derived_data_bars as d
    where d.high > 2
    order by 1
  $$,
  $$
    values
      ('1h', timestamptz '2025-07-01 00:00+00', 9::double precision, 60::double precision, 60, 2),
      ('5m', '2025-07-01 00:30+00', 9, 5, 5, 2)
  $$,
  'agg_run_due() takes a late minute into its 5m and its 1h bar'
);
select results_eq(
  $$ select d.timeframe, d.ts_utc from public.derived_data_bars as d where d.updated_at <> '2025-07-02 00:00+00' order by 1 $$,
  $$ values ('1h', timestamptz '2025-07-01 00:00+00'), ('5m', '2025-07-01 00:30+00') $$,
  'agg_run_due() touches updated_at of these and of no other'
);
select results_eq(
  'select s.canonical_symbol, s.timeframe, s.last_agg_bar_ts_utc, s.total_bars_created from public.data_agg_state as s order by 1, 2',
  'select b.* from task_before as b order by 1, 2',
  'agg_run_due() moves no cursor and counts no bar for a correction'
);
select results_eq(
  'select l.bars_created, l.bars_corrected from agg.run_log as l order by l.run_id',
  'values (52::bigint, 0::bigint), (0, 2)',
  'agg.run_log keeps corrected bars apart from created ones'
);
select is_empty(
  $$
    select n.note_id from agg.change_note as n
    union all
    select k.correction_id from agg.correction as k
  $$,
  'agg_run_due() leaves neither notes nor corrections'
);

select * from finish();
rollback;
