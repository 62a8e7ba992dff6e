begin;
select plan(4);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:30+00');
do $$ begin perform agg.take_notes(10); end; $$;
create function pg_temp.work(p_now timestamptz, p_success boolean, p_with_claimed_at boolean) returns void
language plpgsql as $$
declare
  v_claimed_at timestamptz := public.agg_start('ACME', '5m', p_now) ->> 'claimed_at';
  v_result jsonb := public.catchup_aggregation_range('ACME', '5m', p_until_utc => p_now);
begin
  perform public.agg_finish(
    'ACME', '5m', p_success, (v_result ->> 'new_cursor')::timestamptz, v_result,
    p_fail_kind => case when not p_success then 'transient' end, p_now => p_now,
    p_claimed_at => case when p_with_claimed_at then v_claimed_at end
  );
end;
$$;

do $$ begin perform pg_temp.work('2025-07-01 00:11+00', true, true); end; $$;
select is_empty('select k.correction_id from agg.correction as k', 'agg_finish() with p_claimed_at adds no correction');
do $$ begin perform pg_temp.work('2025-07-01 00:21+00', false, false); end; $$;
select is_empty('select k.correction_id from agg.correction as k', 'agg_finish() adds no correction after a failure');

do $$ begin perform pg_temp.work('2025-07-01 00:21+00', true, false); end; $$;
select results_eq(
  'select k.timeframe, k.spans from agg.correction as k order by 1',
  $$ values ('5m', tstzmultirange(tstzrange('2025-07-01 00:05+00', '2025-07-01 00:15+00'))) $$,
  'agg_finish() without p_claimed_at adds a correction of the windows that the cursor passed'
);
-- As if the worker had not seen these minutes.
update public.derived_data_bars as d set trade_count = 99 where d.timeframe = '5m';
call tests.run('2025-07-01 00:21+00');
select results_eq(
  'select d.ts_utc from public.derived_data_bars as d where d.trade_count is null order by 1',
  $$ values (timestamptz '2025-07-01 00:05+00'), ('2025-07-01 00:10+00') $$,
  'agg_run_due() builds these windows again'
);

select * from finish();
rollback;
