begin;
select plan(4);

call tests.clear();
call tests.add_asset('ACME');
do $$
begin
  perform public.agg_start('ACME', '5m', '2025-07-02 00:00+00');
  perform agg.recover_abandoned_claims('2025-07-02 00:15+00');
  perform public.agg_start('ACME', '5m', '2025-07-02 00:16+00');
end;
$$;

select throws_ok(
  $$
    select public.agg_finish(
      'ACME', '5m', false, p_fail_kind => 'hard', p_now => '2025-07-02 00:17+00', p_claimed_at => '2025-07-02 00:00+00'
    )
  $$,
  '55000', null, 'agg_finish() refuses the first worker of ACME 5m after a second one has claimed it'
);
select results_eq(
  'select s.status, s.hard_fail_streak from public.data_agg_state as s where s.timeframe = ''5m''',
  $$ values ('running', 0) $$,
  'agg_finish() leaves the claim of ACME 5m to the second worker'
);
select lives_ok(
  $$ select public.agg_finish('ACME', '5m', true, p_now => '2025-07-02 00:17+00', p_claimed_at => '2025-07-02 00:16+00') $$,
  'agg_finish() accepts the worker that holds ACME 5m'
);
select is(
  (select s.status from public.data_agg_state as s where s.timeframe = '5m'), 'idle', 'agg_finish() releases ACME 5m'
);

select * from finish();
rollback;
