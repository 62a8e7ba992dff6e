-- What a clock or a task says that cannot be worked with stops no maintenance.
begin;
select plan(5);

call tests.clear();
call tests.add_asset('ACME', '{"optional": ["1d", "1w"], "day_close": {"time": "17:00", "time_zone": "America/New_York"}}');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-16 00:00+00');
select lives_ok(
  $$ select public.agg_run_due(p_now => '2025-07-16 01:00+00', p_limit => 2147483647, p_batch_windows => 2147483647) $$, 'a run takes any number of windows'
);
select throws_ok(
  format('select public.agg_maintain(p_now => %L)', i.instant), '22023', 'p_now must be finite, not ' || coalesce(i.instant, 'null'),
  'agg_maintain() refuses ' || coalesce(i.instant, 'null')
)
from unnest(array['infinity', null]) as i (instant);

-- A zone that the list of the server has no longer.
alter table public.core_asset_registry_all disable trigger user;
call tests.add_asset('BETA');
call tests.set_metadata('ACME', '{agg,day_close,time_zone}', '"Nowhere/Land"');
update public.data_agg_state as s set window_time_zone = 'Nowhere/Land' where s.window_time_zone is not null;
create temporary table maintained as select public.agg_maintain(p_now => '2025-07-16 01:05+00') as result;
select is((select m.result -> 'alerts_raised' from maintained as m), 'null', 'alerts cannot be refreshed');
select is((select count(*) from public.data_agg_state as s where s.canonical_symbol = 'BETA'), 2::bigint, 'and the sync goes on');

select * from finish();
rollback;
