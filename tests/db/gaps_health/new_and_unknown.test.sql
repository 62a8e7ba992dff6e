begin;
select plan(4);

call tests.clear();
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
values ('STRAY', '2025-07-01 00:00+00', 1, 1, 1, 1), ('ACME', '2025-07-01 00:00+00', 1, 1, 1, 1);
insert into public.core_asset_registry_all (canonical_symbol, active) values ('ACME', true);

select results_eq(
  $$ select h.canonical_symbol, h.timeframe, h.state from public.agg_health() as h $$,
  $$ values ('ACME', '5m', 'due'), ('ACME', '1h', 'due'), ('STRAY', '1m', 'unregistered') $$,
  'agg_health() raises no alarm about an asset that was added just now, and lists bars of unknown symbols'
);
select is(
  (select h.state from public.agg_health(now() + interval '10 minutes') as h where h.timeframe = '5m'), 'never_ran',
  'agg_health() says after five minutes that no dispatcher has run it'
);
do $$ begin perform public.agg_run_due(p_time_budget => '0'); end; $$;
select is(
  (select l.stopped_reason from agg.run_log as l order by l.run_id desc limit 1), 'one_batch',
  'agg.run_log says one_batch for a run that was asked for one'
);
do $$ begin perform public.agg_run_due(); end; $$;
select is(
  (select count(*) from agg.run_log as l where l.stopped_reason = 'idle'), 1::bigint,
  'agg.run_log says idle for a run that left nothing to do'
);

select * from finish();
rollback;
