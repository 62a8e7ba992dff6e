begin;
select plan(4);

call tests.clear();
call tests.add_asset('LEFT', '{"keep": {"1m": "1 day", "5m": "2 days"}}');
call tests.add_asset('RIGHT');
call tests.add_basket('BOTH', '{"LEFT": 1, "RIGHT": 1}');
call tests.add_minutes('LEFT', '2025-07-01 00:00+00', '2025-07-04 00:00+00', p_without => array[timestamptz '2025-07-02 12:01+00']);
call tests.add_minutes('RIGHT', '2025-07-01 00:00+00', '2025-07-04 00:00+00');
call tests.run('2025-07-04 00:05+00');
do $$ begin
  perform public.agg_maintain(p_now => '2025-07-04 00:10+00');
  perform public.agg_maintain(p_now => '2025-07-04 00:15+00');
end; $$;
create function pg_temp.explained(p_symbol text, p_timeframe text, p_ts timestamptz) returns setof text
language sql as $$
  select e.item || ': ' || e.value from public.agg_explain(p_symbol, p_timeframe, p_ts, '2025-07-04 00:20+00') as e where e.item not in ('window', 'built')
$$;

select set_eq(
  $$ select pg_temp.explained('LEFT', '1m', '2025-07-02 12:00+00') $$,
  $$ values ('state: no bar'), ('why: it is not kept any more'), ('kept: 1m bars of LEFT from 2025-07-03 00:00:00+00 on') $$,
  'agg_explain() says that a minute is not kept'
);
select set_eq(
  $$ select pg_temp.explained('LEFT', '5m', '2025-07-02 12:00+00') $$,
  $$ values ('state: bar'), ('minutes: 4 of 5, quality 1 (good: at least 80 %)'), ('kept: 1m bars of LEFT from 2025-07-03 00:00:00+00 on') $$,
  'it calls no minute missing that was removed, and says how many there were'
);
select set_eq(
  $$ select pg_temp.explained('LEFT', '5m', '2025-07-01 12:00+00') $$,
  $$
    values
      ('state: no bar'), ('why: it is not kept any more'), ('minutes: 0 of 5'),
      ('kept: 1m bars of LEFT from 2025-07-03 00:00:00+00 on'), ('kept: 5m bars of LEFT from 2025-07-02 00:00:00+00 on')
  $$,
  'nor a bar that was'
);
select set_eq(
  $$ select pg_temp.explained('BOTH', '5m', '2025-07-02 13:00+00') $$,
  $$ values ('state: bar'), ('minutes: 5 of 5, quality 2 (excellent: every minute)'), ('kept: 1m bars of LEFT from 2025-07-03 00:00:00+00 on') $$,
  'nor a minute of a component'
);

select * from finish();
rollback;
