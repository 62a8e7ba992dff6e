begin;
select plan(2);

call tests.clear();
call tests.add_asset('GONE');
call tests.add_asset('KEPT');
call tests.add_minutes('GONE', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
call tests.add_minutes('KEPT', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
call tests.run('2025-07-01 01:05+00');
update public.data_bars as b set high = 2;
do $$ begin perform agg.take_notes(10); end; $$;

delete from public.core_asset_registry_all as r where r.canonical_symbol = 'GONE';
delete from public.data_agg_state as s where s.canonical_symbol = 'GONE';
select is(
  public.agg_run_due(p_now => '2025-07-01 01:05+00', p_time_budget => '10 seconds') -> 'bars_corrected', '13',
  'agg_run_due() corrects other tasks beside the corrections of a task that is gone'
);
update public.data_bars as b set high = 3;
do $$ begin perform agg.take_notes(10); end; $$;
do $$ begin perform public.agg_maintain(p_now => '2025-07-01 01:05+00'); end; $$;
select results_eq(
  'select k.canonical_symbol, k.timeframe from agg.correction as k order by 1', $$ values ('KEPT', '5m') $$,
  'agg_maintain() drops the corrections of tasks that are gone, and no others'
);

select * from finish();
rollback;
