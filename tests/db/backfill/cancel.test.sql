begin;
select plan(9);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_asset('OTHER');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-02 00:00+00');
call tests.add_minutes('OTHER', '2025-07-01 00:00+00', '2025-07-02 00:00+00');
do $$ begin perform public.agg_backfill(p_now => '2025-07-02 00:05+00'); end; $$;
do $$ begin
  for v_batch in 1..4 loop
    perform public.agg_run_due(p_now => '2025-07-02 00:05+00', p_batch_windows => 100, p_time_budget => '0');
  end loop;
end; $$;
select results_eq(
  $$ select p.canonical_symbol, p.timeframe, p.windows, p.windows_a_minute > 0 from public.agg_pending('2025-07-02 00:05+00') as p where p.is_backfill $$,
  $$ values ('ACME', '5m', 237::bigint, true), ('OTHER', '5m', 237, true) $$,
  'agg_pending() shows what is left, and how fast it goes'
);
select is((select sum(l.windows_backfilled) from agg.run_log as l), 100::numeric, 'as the run log counts it');
select is(
  public.agg_cancel_backfill(array['ACME']), '{"success": true, "tasks": 1, "windows": 237}', 'agg_cancel_backfill() says what it leaves'
);
call tests.run('2025-07-02 00:05+00');
select results_eq(
  $$
    select d.canonical_symbol, count(*)
    from public.derived_data_bars as d
    where d.timeframe = '5m' and d.deleted_at is null
    group by 1
    order by 1
  $$,
  $$ values ('ACME', 51::bigint), ('OTHER', 288) $$,
  'history of other tasks goes on'
);
select is((select count(*) from public.agg_verify('ACME', '5m') as v where v.problem = 'missing'), 237::bigint, 'agg_verify() lists what is missing');
do $$ begin perform public.agg_backfill(array['ACME'], p_now => '2025-07-02 00:05+00'); end; $$;
call tests.run('2025-07-02 00:05+00');
select is_empty($$ select v.* from public.agg_verify() as v $$, 'agg_backfill() has it built after all');

select throws_ok($$ select public.agg_backfill(array['NONE']) $$, 'P0002', 'there is no task NONE of any timeframe', 'an unknown symbol is refused');
select throws_ok($$ select public.agg_cancel_backfill(null, array['2m']) $$, '22023', '2m is not a timeframe', 'so is an unknown timeframe');
select throws_ok(
  $$ select public.agg_backfill(null, null, '2025-07-02 00:00+00', '2025-07-02 00:00+00') $$,
  '22023', '[2025-07-02 00:00:00+00, 2025-07-02 00:00:00+00) is not a range of time', 'so is an empty range'
);

select * from finish();
rollback;
