begin;
select plan(7);

-- Starts around an hour, to the second, and far apart.
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
select 'S' || g.n, true, jsonb_build_object('agg', jsonb_build_object('start_utc', to_jsonb(timestamptz '2025-07-01 00:00+00' + g.n * interval '397 seconds')))
from generate_series(0, 300) as g (n);
call tests.add_asset('ALIGNED', '{"start_utc": "2025-07-01T10:00:00Z"}');
call tests.add_asset('UNALIGNED', '{"start_utc": "2025-07-01T10:02:00Z"}');
call tests.add_asset('ZONED', '{"start_utc": "2025-07-01T10:02:00+05:30"}');

select results_eq(
  $$
    select s.canonical_symbol, s.timeframe, s.last_agg_bar_ts_utc
    from public.data_agg_state as s
    where s.canonical_symbol in ('ALIGNED', 'UNALIGNED', 'ZONED')
    order by 1, 2
  $$,
  $$
    values
      ('ALIGNED', '1h', timestamptz '2025-07-01 09:00+00'), ('ALIGNED', '5m', '2025-07-01 09:55+00'),
      ('UNALIGNED', '1h', '2025-07-01 10:00+00'), ('UNALIGNED', '5m', '2025-07-01 10:00+00'),
      ('ZONED', '1h', '2025-07-01 04:00+00'), ('ZONED', '5m', '2025-07-01 04:30+00')
  $$,
  'sync_agg_state_from_registry() sets the cursor one interval before the first whole window'
);
select is_empty(
  $$
    select s.canonical_symbol, s.timeframe
    from public.data_agg_state as s
    cross join lateral (select s.run_interval_minutes * 60 as seconds) as l
    where s.last_agg_bar_ts_utc
      <> to_timestamp((ceil(extract(epoch from s.agg_start_utc) / l.seconds) - 1) * l.seconds)
  $$,
  'sync_agg_state_from_registry() does so for hundreds of starts'
);

call tests.add_minutes('ALIGNED', '2025-07-01 09:00+00', '2025-07-01 13:00+00');
call tests.add_minutes('UNALIGNED', '2025-07-01 09:00+00', '2025-07-01 13:00+00');
call tests.run('2025-07-02 00:00+00');
select results_eq(
  $$
    select d.canonical_symbol, d.timeframe, min(d.ts_utc)
    from public.derived_data_bars as d
    group by 1, 2
    order by 1, 2
  $$,
  $$
    values
      ('ALIGNED', '1h', timestamptz '2025-07-01 10:00+00'), ('ALIGNED', '5m', '2025-07-01 10:00+00'),
      ('UNALIGNED', '1h', '2025-07-01 11:00+00'), ('UNALIGNED', '5m', '2025-07-01 10:05+00')
  $$,
  'agg.run_batch() begins with the first whole window at or after agg_start_utc'
);

create temporary table reset as select public.agg_bootstrap_cursor('UNALIGNED', '5m') as result;
select is(
  r.result,
  '{"success": true, "bootstrapped_cursor": "2025-07-01T10:00:00+00:00", "will_start_at": "2025-07-01T10:05:00+00:00"}',
  'agg_bootstrap_cursor() takes the cursor back to one interval before the start'
) from reset as r;
create temporary table placed as select d.ctid as place, d.canonical_symbol, d.timeframe, d.ts_utc from public.derived_data_bars as d;
call tests.run('2025-07-02 00:00+00');
select results_eq(
  $$
    select s.last_agg_bar_ts_utc, s.total_bars_created
    from public.data_agg_state as s
    where s.canonical_symbol = 'UNALIGNED' and s.timeframe = '5m'
    order by 1
  $$,
  $$ values (timestamptz '2025-07-01 12:55+00', 70::bigint) $$,
  'agg_run_due() builds everything again after a reset'
);
select results_eq(
  'select d.ctid, d.canonical_symbol, d.timeframe, d.ts_utc from public.derived_data_bars as d order by 2, 3, 4',
  'select p.place, p.canonical_symbol, p.timeframe, p.ts_utc from placed as p order by 2, 3, 4',
  'agg_run_due() writes nothing that stands there already'
);
select throws_ok(
  $$ select public.agg_bootstrap_cursor('UNALIGNED', '7m') $$, 'P0002', null,
  'agg_bootstrap_cursor() raises no_data_found without a task'
);

select * from finish();
rollback;
