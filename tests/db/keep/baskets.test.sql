begin;
select plan(5);

call tests.clear();
call tests.add_asset('LEFT', '{"keep": {"1m": "1 day"}}');
call tests.add_asset('RIGHT');
call tests.add_basket('BOTH', '{"LEFT": 1, "RIGHT": 1}');
call tests.add_minutes('LEFT', '2025-07-01 00:00+00', '2025-07-03 00:00+00');
call tests.add_minutes('RIGHT', '2025-07-01 00:00+00', '2025-07-03 00:00+00');
call tests.run('2025-07-03 00:05+00');
do $$ begin
  perform public.agg_maintain(p_now => '2025-07-03 00:10+00');
  perform public.agg_maintain(p_now => '2025-07-03 00:15+00');
end; $$;
update public.data_bars as b set close = 3, high = 3 where b.canonical_symbol = 'RIGHT' and b.ts_utc = '2025-07-01 12:00+00';
call tests.run('2025-07-03 00:20+00');

select results_eq(
  $$ select b.canonical_symbol, count(*) from public.data_bars as b group by 1 order by 1 $$,
  $$ values ('BOTH', 2880::bigint), ('LEFT', 1440), ('RIGHT', 2880) $$,
  'removed minutes of a component take no minute of the basket along, also where another component changes'
);
select is(
  (select s.agg_start_utc from public.data_agg_state as s where (s.canonical_symbol, s.timeframe) = ('BOTH', '1m')),
  timestamptz '2025-07-02 00:00+00', 'the series starts at the latest floor of its components'
);
select is_empty($$ select v.* from public.agg_verify() as v $$, 'agg_verify() lists nothing');
select throws_ok(
  $$ select public.derive_synthetic_range('BOTH', '2025-07-01 12:00+00', '2025-07-02 12:00+00') $$,
  '22023', 'BOTH cannot be computed before 2025-07-02 00:00:00+00: its minutes, or those of a component, are not kept (metadata.agg.keep)',
  'derive_synthetic_range() refuses a range behind it'
);
select is(
  public.derive_synthetic_range('BOTH', '2025-07-02 00:00+00', '2025-07-03 00:00+00') -> 'unchanged', '1440', 'and computes one at it'
);

select * from finish();
rollback;
