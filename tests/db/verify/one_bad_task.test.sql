begin;
select plan(5);

-- A task fails whose bars overflow, which no door lets in.
alter table public.data_bars drop constraint data_bars_vol_in_range;

-- Without the triggers of the registry, so that only a sync changes tasks.
alter table public.core_asset_registry_all disable trigger user;
call tests.clear();
call tests.add_asset('ALPHA');
call tests.add_asset('HUGE');
call tests.add_asset('OMEGA');
call tests.add_basket('BASKET', '{"ALPHA": 1}');
call tests.add_minutes('ALPHA', '2025-07-01 00:00+00', '2025-07-01 02:00+00');
call tests.add_minutes('HUGE', '2025-07-01 00:00+00', '2025-07-01 02:00+00');
call tests.add_minutes('OMEGA', '2025-07-01 00:00+00', '2025-07-01 02:00+00');
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
call tests.run('2025-07-01 02:05+00');
select is_empty('select v.* from public.agg_verify() as v', 'agg_verify() lists nothing before the changes');

-- Unnoticed: the notes are lost. Two volumes are fine each and overflow their sum.
set local session_replication_role = replica;
update public.data_bars as b set high = 2 where b.canonical_symbol in ('ALPHA', 'OMEGA') and b.ts_utc = '2025-07-01 00:31+00';
update public.data_bars as b set vol = 1e308
where b.canonical_symbol = 'HUGE' and b.ts_utc in ('2025-07-01 00:31+00', '2025-07-01 00:33+00');
delete from public.derived_data_bars as d where d.canonical_symbol = 'HUGE' and d.timeframe = '1h' and d.ts_utc = '2025-07-01 01:00+00';
set local session_replication_role = origin;
delete from agg.change_note;
call tests.set_metadata('BASKET', '{formula_base}', '"one"');

select results_eq(
  $$
    select v.canonical_symbol, v.timeframe, v.ts_utc, v.problem, substring(v.expected ->> 'error' from '\((.{5})\)$'), v.is_pending
    from public.agg_verify() as v
  $$,
  $$
    values
      ('ALPHA', '5m', timestamptz '2025-07-01 00:30+00', 'different', null, false),
      ('BASKET', '1m', '2025-07-01 00:00+00', 'failed', '22023', false),
      ('HUGE', '5m', '2025-07-01 00:00+00', 'failed', '22003', false),
      ('HUGE', '1h', '2025-07-01 01:00+00', 'missing', null, false),
      ('OMEGA', '5m', '2025-07-01 00:30+00', 'different', null, false)
  $$,
  'agg_verify() lists a task that cannot be computed with its error, and checks the others'
);
select is(public.agg_repair(), '{"success": true, "tasks": 3, "windows": 3}', 'agg_repair() adds corrections of what can be computed');
call tests.run('2025-07-01 02:05+00');
select results_eq(
  'select v.canonical_symbol, v.timeframe, v.problem from public.agg_verify() as v',
  $$ values ('BASKET', '1m', 'failed'), ('HUGE', '5m', 'failed') $$,
  'agg_run_due() then fixes these'
);

update public.data_bars as b set vol = 1 where b.vol > 1;
call tests.set_metadata('BASKET', '{formula_base}', '1');
call tests.run('2025-07-01 02:05+00');
select is_empty('select v.* from public.agg_verify() as v', 'agg_verify() lists nothing when the rest is fixed');

select * from finish();
rollback;
