begin;
select plan(4);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from generate_series(0, 29) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); perform agg.take_notes(1); end; $$;
create function pg_temp.work(p_now timestamptz, p_success boolean, p_knows_claim boolean) returns void
language plpgsql as $$
declare
  v_claimed_at timestamptz := public.agg_start('ACME', '5m', p_now) ->> 'claimed_at';
  v_result jsonb := public.catchup_aggregation_range('ACME', '5m', p_until_utc => p_now);
begin
  perform public.agg_finish(
    'ACME', '5m', p_success, (v_result ->> 'new_cursor')::timestamptz, v_result,
    p_fail_kind => case when not p_success then 'transient' end, p_now => p_now,
    p_claimed_at => case when p_knows_claim then v_claimed_at end
  );
end;
$$;

do $$ begin perform pg_temp.work('2025-07-01 00:11+00', true, true); end; $$;
select is_empty('select k.correction_id from agg.correction as k', 'agg_finish() trusts a worker that names its claim');
do $$ begin perform pg_temp.work('2025-07-01 00:21+00', false, false); end; $$;
select is_empty('select k.correction_id from agg.correction as k', 'agg_finish() asks for nothing after a failure');

do $$ begin perform pg_temp.work('2025-07-01 00:21+00', true, false); end; $$;
select results_eq(
  'select k.timeframe, k.spans from agg.correction as k order by 1',
  $$ values ('5m', tstzmultirange(tstzrange('2025-07-01 00:05+00', '2025-07-01 00:15+00'))) $$,
  'agg_finish() without p_claimed_at leaves a correction of the windows that the cursor passed'
);
-- As if the worker had not seen these minutes.
update public.derived_data_bars as d set trade_count = 99 where d.timeframe = '5m';
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 00:21+00'); end; $$;
select results_eq(
  'select d.ts_utc from public.derived_data_bars as d where d.trade_count is null order by 1',
  $$ values (timestamptz '2025-07-01 00:05+00'), ('2025-07-01 00:10+00') $$,
  'agg_run_due() builds these once more'
);

select * from finish();
rollback;
