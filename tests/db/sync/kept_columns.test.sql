begin;
select plan(6);

call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 02:00+00');
create function pg_temp.switch(p_active boolean) returns void
language sql as $$
  update public.core_asset_registry_all as r set active = p_active where r.canonical_symbol = 'ACME';
$$;

update public.data_agg_state as s set aggregation_delay_seconds = 60, task_priority = 7 where s.canonical_symbol = 'ACME';
call tests.run('2025-07-01 01:06+00');
create temporary table before as
select s.timeframe, s.last_agg_bar_ts_utc, s.aggregation_delay_seconds, s.task_priority
from public.data_agg_state as s
where s.canonical_symbol = 'ACME';
select is(
  (select b.last_agg_bar_ts_utc from before as b where b.timeframe = '5m'), timestamptz '2025-07-01 01:00+00',
  'the 5m task has run up to its delay'
);

select lives_ok('select pg_temp.switch(false)', 'the asset is switched off');
select is_empty(
  $$ select b.tasks from agg.run_batch(p_now => '2025-07-02 00:00+00') as b where b.tasks <> 0 $$,
  'agg.run_batch() runs nothing: the synthetic series sleeps'
);
select lives_ok('select pg_temp.switch(true)', 'the asset is switched on');
select results_eq(
  $$
    select s.timeframe, s.last_agg_bar_ts_utc, s.aggregation_delay_seconds, s.task_priority
    from public.data_agg_state as s
    where s.canonical_symbol = 'ACME'
    order by 1
  $$,
  'select b.* from before as b order by 1',
  'sync_agg_state_from_registry() keeps cursors, delays and priorities over an off and on'
);
call tests.run('2025-07-02 00:00+00');
select results_eq(
  $$ select s.timeframe, s.last_agg_bar_ts_utc from public.data_agg_state as s where s.canonical_symbol = 'ACME' order by 1 $$,
  $$ values ('1h', timestamptz '2025-07-01 01:00+00'), ('5m', timestamptz '2025-07-01 01:55+00') $$,
  'a reactivated asset runs again'
);

select * from finish();
rollback;
