begin;
select plan(8);

-- A task fails whose bars overflow, which no door lets in.
alter table public.data_bars drop constraint data_bars_vol_in_range;

call tests.clear();
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
select s.symbol, true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}'
from (select 'GOOD' || g.n from generate_series(1, 100) as g (n) union all select 'GOOD50_BAD') as s (symbol);
-- Two volumes that are fine each and overflow their sum.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select
  r.canonical_symbol, timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1,
  case when r.canonical_symbol = 'GOOD50_BAD' then 1e308 else m.n end
from public.core_asset_registry_all as r
cross join generate_series(0, 59) as m (n)
where r.active;

create temporary table batch as select b.* from agg.run_batch(p_now => '2025-07-01 01:05+00') as b;

select results_eq(
  'select b.tasks, b.windows, b.bars_created, b.failed from batch as b order by 1',
  'values (101, 1200::bigint, 1200::bigint, 1)',
  'agg.run_batch() runs a hundred good tasks beside one that raises'
);
select is_empty(
  $$
    select s.canonical_symbol
    from public.data_agg_state as s
    where s.timeframe = '5m' and s.canonical_symbol <> 'GOOD50_BAD'
      and (s.last_agg_bar_ts_utc, s.status, s.fail_streak) <> (timestamptz '2025-07-01 00:55+00', 'idle', 0)
  $$,
  'agg.run_batch() advances every good task'
);
select results_eq(
  $$
    select s.last_agg_bar_ts_utc, s.status, s.fail_streak, s.hard_fail_streak, s.next_run_at, s.last_error ~ '22003'
    from public.data_agg_state as s
    where s.timeframe = '5m' and s.canonical_symbol = 'GOOD50_BAD'
    order by 1
  $$,
  $$ values (timestamptz '2025-06-30 23:55+00', 'idle', 1, 1, timestamptz '2025-07-01 01:06+00', true) $$,
  'agg.run_batch() leaves the bad task where it was, with its error and a retry'
);
select is_empty(
  $$ select d.ts_utc from public.derived_data_bars as d where d.canonical_symbol = 'GOOD50_BAD' $$,
  'agg.run_batch() stores nothing of the bad task'
);

do $$
begin
  for v_hour in 2..11 loop
    perform public.agg_run_due(p_now => timestamptz '2025-07-01 00:05+00' + v_hour * interval '1 hour');
  end loop;
end;
$$;
select results_eq(
  $$
    select s.status, s.fail_streak, s.enabled
    from public.data_agg_state as s
    where s.timeframe = '5m' and s.canonical_symbol = 'GOOD50_BAD'
    order by 1
  $$,
  $$ values ('hard_failed', 11, true) $$,
  'agg_run_due() keeps trying a mandatory task that fails eleven times'
);
select results_eq(
  $$
    select s.total_runs >= 1, count(*)
    from public.data_agg_state as s
    where s.timeframe = '1h' and s.canonical_symbol <> 'GOOD50_BAD' and s.last_agg_bar_ts_utc = '2025-07-01 00:00+00'
    group by 1
    order by 1
  $$,
  'values (true, 100::bigint)',
  'agg_run_due() runs the hours of the good ones meanwhile'
);

update public.data_bars as b set vol = 1 where b.canonical_symbol = 'GOOD50_BAD';
call tests.run('2025-07-01 13:00+00');
select results_eq(
  $$
    select s.timeframe, s.status, s.fail_streak, s.hard_fail_streak, s.last_error, s.last_agg_bar_ts_utc
    from public.data_agg_state as s
    where s.canonical_symbol = 'GOOD50_BAD'
    order by 1
  $$,
  $$
    values
      ('1h', 'idle', 0, 0, null::text, timestamptz '2025-07-01 00:00+00'), ('5m', 'idle', 0, 0, null, '2025-07-01 00:55+00')
  $$,
  'agg_run_due() catches up on the task once its data are fixed'
);
select is(
  (select count(*) from public.derived_data_bars as d where d.canonical_symbol = 'GOOD50_BAD'), 13::bigint,
  'agg_run_due() stores what the failures held back'
);

select * from finish();
rollback;
