begin;
select plan(2);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m * interval '1 minute', 1, 1, 1, 1 from generate_series(0, 64) as m;
do $$
begin
  perform public.agg_run_due(p_now => '2025-07-01 00:25+00');
  update public.data_agg_state as s set updated_at = '2025-07-01 00:00+00';
end;
$$;
create function pg_temp.state(p_now timestamptz) returns text
language sql as $$ select h.state from public.agg_health(p_now) as h where h.timeframe = '5m' $$;

select is(pg_temp.state('2025-07-01 00:29+00'), 'current', 'agg_health() calls ACME 5m current before its next window is due');
select is(
  pg_temp.state('2025-07-01 00:32+00'), 'due',
  'agg_health() calls ACME 5m due, not waiting for a 1m task that does not exist, until the next run'
);
select * from finish();
rollback;
