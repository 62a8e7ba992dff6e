begin;
select plan(7);

-- A task fails whose bars overflow, which no door lets in.
alter table public.data_bars drop constraint data_bars_vol_in_range;

-- Without the triggers of the registry, so that only a sync changes tasks.
alter table public.core_asset_registry_all disable trigger user;
call tests.clear();
do $$
declare
  v_symbol text;
begin
  foreach v_symbol in array array['CLAIMED', 'DISABLED', 'FAILING', 'INACTIVE', 'OFF', 'READY'] loop
    call tests.add_asset(v_symbol, '{"optional": ["15m"]}');
    call tests.add_minutes(v_symbol, '2025-07-01 00:00+00', '2025-07-01 02:00+00');
  end loop;
end;
$$;
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
call tests.run('2025-07-01 02:05+00');
create function pg_temp.explain(p_symbol text) returns text
language sql as $$ select string_agg(p.explanation, '; ') from public.agg_pending() as p where p.canonical_symbol = p_symbol $$;

call tests.fail_three_times('DISABLED', '15m', '2025-07-01 02:05+00');
update public.data_bars as b set high = 2 where b.canonical_symbol = 'DISABLED' and b.ts_utc = '2025-07-01 00:31+00';
update public.data_bars as b set vol = 1e308
where b.canonical_symbol = 'FAILING' and b.ts_utc in ('2025-07-01 00:31+00', '2025-07-01 00:33+00');
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 02:05+00', p_time_budget => '0'); end; $$;
update public.data_bars as b set high = 2
where b.canonical_symbol in ('CLAIMED', 'INACTIVE', 'OFF', 'READY') and b.ts_utc = '2025-07-01 00:31+00';
update public.core_asset_registry_all as r set active = false where r.canonical_symbol = 'OFF';
do $$
begin
  perform public.sync_agg_state_from_registry();
  perform public.agg_start('CLAIMED', '5m', '2025-07-01 02:10+00');
end;
$$;
-- No sync runs after this.
update public.core_asset_registry_all as r set active = false where r.canonical_symbol = 'INACTIVE';

select is(pg_temp.explain('READY'), 'the next run takes it', 'agg_pending() says that the next run makes the correction');
select is(
  pg_temp.explain('CLAIMED'), 'waits for the worker that has claimed the task since 2025-07-01 02:10:00+00', 'agg_pending() names the claim'
);
select is(pg_temp.explain('OFF'), 'waits until the asset is switched on again', 'agg_pending() says that the asset is switched off');
select is(pg_temp.explain('INACTIVE'), 'waits until the asset is active again', 'agg_pending() says that the asset is not active');
select is(pg_temp.explain('DISABLED'), 'waits: the task is disabled after failures', 'agg_pending() says that the task is disabled');
select matches(
  pg_temp.explain('FAILING'), '^failed, next try at 2025-07-01 02:06:00\+00: .*22003', 'agg_pending() shows the error and the next try'
);
select results_eq(
  $$ select p.windows, p.failures from public.agg_pending() as p where p.canonical_symbol = 'FAILING' $$,
  'values (1::bigint, 1)', 'agg_pending() counts the failures'
);

select * from finish();
rollback;
