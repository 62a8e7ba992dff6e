begin;
select plan(5);

-- Without the triggers of the registry, so that only a sync changes tasks.
alter table public.core_asset_registry_all disable trigger user;
call tests.clear();
call tests.add_asset('ACME');
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;

create function pg_temp.due(p_now timestamptz) returns text
language sql as $$
  select coalesce(string_agg(d.timeframe, ' ' order by d.run_interval_minutes), '')
  from public.agg_get_due_tasks('prod', 10, p_now) as d
$$;

select results_eq(
  $$
    select pg_temp.due(t.now_utc)
    from (values (timestamptz '2025-07-01 00:09:59+00'), ('2025-07-01 00:10:00+00'), ('2025-07-01 01:04:59+00'), ('2025-07-01 01:05:00+00'))
      as t (now_utc)
    order by t.now_utc
  $$,
  $$ values (''), ('5m'), ('5m'), ('5m 1h') $$,
  'agg_get_due_tasks() returns a new task once its first window is complete and 300 s old'
);
do $$ begin perform public.agg_start('ACME', '5m', '2025-07-01 02:00+00'); end; $$;
select is(pg_temp.due('2025-07-01 02:01+00'), '1h', 'agg_get_due_tasks() leaves out a claimed task');
update public.core_asset_registry_all as r set active = false where r.canonical_symbol = 'ACME';
select is(pg_temp.due('2025-07-01 02:01+00'), '', 'agg_get_due_tasks() leaves out an asset as soon as it is inactive');
select is(
  (select count(*) from public.data_agg_state as s where s.status = 'running'), 1::bigint,
  'agg_get_due_tasks() claims nothing itself'
);
select is(
  (select count(*) from public.agg_get_due_tasks('prod', 0, '2025-07-01 02:01+00')), 0::bigint,
  'agg_get_due_tasks() returns nothing for p_limit 0'
);

select * from finish();
rollback;
