begin;
select plan(6);

-- Without the triggers of the registry, so that only a sync changes tasks.
alter table public.core_asset_registry_all disable trigger user;
call tests.clear();
call tests.add_asset('ACME');
call tests.add_asset('BAD', '{"start": "2025-07-01T00:00:00Z"}');
create function pg_temp.open_alerts() returns text
language sql as $$
  select coalesce(string_agg(concat_ws(' ', a.kind, a.canonical_symbol, a.timeframe), ', ' order by a.kind), 'none')
  from agg.alert as a
  where a.resolved_at is null
$$;

do $$ begin perform public.agg_maintain('prod', '2025-07-01 00:00+00'); end; $$;
select is(pg_temp.open_alerts(), 'metadata BAD *', 'agg_maintain() raises an alert for metadata that the sync does not understand');
select matches((select a.message from agg.alert as a), 'agg\.start is not known', 'agg_maintain() names the key of BAD');
do $$ begin perform agg.refresh_alerts('2025-07-01 00:01+00'); end; $$;
select is(pg_temp.open_alerts(), 'metadata BAD *', 'refresh_alerts() keeps the alert of BAD, since no sync ran');
update public.core_asset_registry_all as r set metadata = '{}' where r.canonical_symbol = 'BAD';
do $$ begin perform public.agg_maintain('prod', '2025-07-01 00:05+00'); end; $$;
select is(pg_temp.open_alerts(), 'none', 'agg_maintain() resolves the alert once the metadata of BAD are fixed');

call tests.fail_three_times('ACME', '5m', '2025-07-01 00:10+00');
do $$
begin
  perform agg.refresh_alerts('2025-07-01 00:11+00');
  perform public.agg_start('ACME', '5m', '2025-07-01 00:20+00');
  perform agg.refresh_alerts('2025-07-01 00:21+00');
end;
$$;
select is(pg_temp.open_alerts(), 'hard_failed ACME 5m', 'refresh_alerts() keeps the alert of a task that has only been claimed again');
do $$ begin perform agg.recover_abandoned_claims('2025-07-01 00:35+00'); end; $$;
select is(
  (select s.status from public.data_agg_state as s where s.canonical_symbol = 'ACME' and s.timeframe = '5m'), 'hard_failed',
  'recover_abandoned_claims() does not hide that ACME 5m fails'
);

select * from finish();
rollback;
