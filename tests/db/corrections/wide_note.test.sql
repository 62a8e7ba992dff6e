begin;
select plan(4);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
select s.symbol, true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}'
from unnest(array['NO_FIRST_SOURCE', 'NO_LAST_SOURCE']) as s (symbol);
-- An hour at either end of 60 days.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select r.canonical_symbol, d.day + m.n * interval '1 minute', 1, 1, 1, 1
from public.core_asset_registry_all as r
cross join unnest(array['2025-07-01 00:00+00', '2025-08-30 00:00+00']::timestamptz[]) as d (day)
cross join generate_series(0, 59) as m (n)
where r.active;
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-08-30 01:05+00'); end; $$;

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

-- Unnoticed: with the triggers off. At one end there is no source any more, at the other no bars.
set local session_replication_role = replica;
delete from public.data_bars as b where (b.canonical_symbol = 'NO_FIRST_SOURCE') = (b.ts_utc < '2025-08-01 00:00+00');
delete from public.derived_data_bars as d where (d.canonical_symbol = 'NO_FIRST_SOURCE') = (d.ts_utc > '2025-08-01 00:00+00');
set local session_replication_role = origin;
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
