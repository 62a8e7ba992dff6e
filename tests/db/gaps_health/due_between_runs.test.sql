begin;
select plan(2);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 01:05+00');
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
