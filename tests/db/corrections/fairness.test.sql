begin;
select plan(4);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
select s.symbol, true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}'
from unnest(array['FLOOD', 'LIVE']) as s (symbol);
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select r.canonical_symbol, timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from public.core_asset_registry_all as r
cross join generate_series(0, 1440 + 4) as m (n)
where r.active;
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-02 00:05+00'); end; $$;
create function pg_temp.corrected(p_symbol text) returns bigint
language sql as $$
  select count(*) from public.derived_data_bars as d where d.canonical_symbol = p_symbol and d.timeframe = '5m' and d.high = 2
$$;

update public.data_bars as b set high = 2 where b.canonical_symbol = 'FLOOD' and b.ts_utc < '2025-07-02 00:00+00';
update public.data_bars as b set high = 2 where b.canonical_symbol = 'LIVE' and b.ts_utc = '2025-07-01 12:34+00';
-- 00:00 of the second day can be decided now.
do $$ begin perform agg.run_batch(p_now => '2025-07-02 00:10+00', p_batch_windows => 20); end; $$;
select is(pg_temp.corrected('LIVE'), 1::bigint, 'agg.run_batch() corrects one symbol beside the flood of another');
select is(pg_temp.corrected('FLOOD'), 10::bigint, 'agg.run_batch() shares the windows of a batch evenly');
select results_eq(
  $$
    select s.canonical_symbol, s.last_agg_bar_ts_utc
    from public.data_agg_state as s
    where s.timeframe = '5m'
    order by 1
  $$,
  $$ values ('FLOOD', timestamptz '2025-07-02 00:00+00'), ('LIVE', '2025-07-02 00:00+00') $$,
  'agg.run_batch() decides the live windows of both meanwhile'
);

-- One task a batch: after its share, the flood goes to the end of the queue.
update public.data_bars as b set high = 2 where b.canonical_symbol = 'LIVE' and b.ts_utc = '2025-07-01 23:01+00';
do $$
begin
  perform agg.run_batch(p_now => '2025-07-02 00:10+00', p_batch_windows => 10, p_limit => 1);
  perform agg.run_batch(p_now => '2025-07-02 00:10+00', p_batch_windows => 10, p_limit => 1);
end;
$$;
select results_eq(
  $$ values (pg_temp.corrected('LIVE'), pg_temp.corrected('FLOOD')) $$, 'values (2::bigint, 20::bigint)',
  'agg.run_batch() takes tasks with corrections in turn'
);

select * from finish();
rollback;
