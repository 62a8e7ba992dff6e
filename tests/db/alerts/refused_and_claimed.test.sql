begin;
select plan(6);

-- Only a sync changes tasks here, as in a deployment that was there before the triggers.
alter table public.core_asset_registry_all disable trigger user;
delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values
  ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}'),
  ('BAD', true, '{"agg": {"start": "2025-07-01T00:00:00Z"}}');
create function pg_temp.open_alerts() returns text
language sql as $$
  select coalesce(string_agg(concat_ws(' ', a.kind, a.canonical_symbol, a.timeframe), ', ' order by a.kind), 'none')
  from agg.alert as a
  where a.resolved_at is null
$$;

do $$ begin perform public.agg_maintain('prod', '2025-07-01 00:00+00'); end; $$;
select is(pg_temp.open_alerts(), 'refused BAD *', 'agg_maintain() raises an alert for an asset that the sync refuses');
select matches((select a.message from agg.alert as a), 'agg\.start is not known', 'agg_maintain() names the key of BAD');
do $$ begin perform agg.refresh_alerts('2025-07-01 00:01+00'); end; $$;
select is(pg_temp.open_alerts(), 'refused BAD *', 'refresh_alerts() knows nothing new of BAD and leaves its alert');
update public.core_asset_registry_all as r set metadata = '{}' where r.canonical_symbol = 'BAD';
do $$ begin perform public.agg_maintain('prod', '2025-07-01 00:05+00'); end; $$;
select is(pg_temp.open_alerts(), 'none', 'agg_maintain() resolves the alert once the metadata of BAD are mended');

do $$
begin
  for v_try in 1..3 loop
    perform public.agg_start('ACME', '5m', '2025-07-01 00:10+00');
    perform public.agg_finish('ACME', '5m', false, p_fail_kind => 'hard', p_error => 'broken', p_now => '2025-07-01 00:10+00');
  end loop;
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
