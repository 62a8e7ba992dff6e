begin;
select plan(4);

call tests.clear();
call tests.add_asset('NO_FIRST_SOURCE');
call tests.add_asset('NO_LAST_SOURCE');
-- An hour at either end of 60 days.
call tests.add_minutes('NO_FIRST_SOURCE', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
call tests.add_minutes('NO_FIRST_SOURCE', '2025-08-30 00:00+00', '2025-08-30 01:00+00');
call tests.add_minutes('NO_LAST_SOURCE', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
call tests.add_minutes('NO_LAST_SOURCE', '2025-08-30 00:00+00', '2025-08-30 01:00+00');
call tests.run('2025-08-30 01:05+00');

do $$ begin perform public.agg_add_change_note(null, '2025-07-02 00:00+00', '2025-08-29 00:00+00'); end; $$;
select is_empty('select p.* from public.agg_pending() as p', 'agg_pending() counts no windows in weeks without a bar');
select is(
  public.agg_run_due(p_now => '2025-08-30 01:05+00', p_batch_windows => 100),
  '{
    "tasks": 2, "windows": 0, "bars_created": 0, "bars_quality_poor": 0, "bars_corrected": 0, "failed": 0, "batches": 1,
    "stopped_reason": "idle"
  }',
  'agg_run_due() is done with them at once'
);

-- Unnoticed: the notes are lost. At one end there is no source any more, at the other no bars.
set local session_replication_role = replica;
delete from public.data_bars as b where (b.canonical_symbol = 'NO_FIRST_SOURCE') = (b.ts_utc < '2025-08-01 00:00+00');
delete from public.derived_data_bars as d where (d.canonical_symbol = 'NO_FIRST_SOURCE') = (d.ts_utc > '2025-08-01 00:00+00');
set local session_replication_role = origin;
delete from agg.change_note;
do $$ begin perform public.agg_add_change_note(); end; $$;
select is(
  public.agg_run_due(p_now => '2025-08-30 01:05+00') -> 'bars_corrected', '52', 'agg_run_due() builds both ends again'
);
select results_eq(
  $$
    select d.canonical_symbol, d.timeframe, count(*), min(d.ts_utc)
    from public.derived_data_bars as d
    where d.deleted_at is null
    group by 1, 2
    order by 1, 2
  $$,
  $$
    values
      ('NO_FIRST_SOURCE', '1h', 1::bigint, timestamptz '2025-08-30 00:00+00'), ('NO_FIRST_SOURCE', '5m', 12, '2025-08-30 00:00+00'),
      ('NO_LAST_SOURCE', '1h', 1, '2025-07-01 00:00+00'), ('NO_LAST_SOURCE', '5m', 12, '2025-07-01 00:00+00')
  $$,
  'bars are where their source is'
);

select * from finish();
rollback;
