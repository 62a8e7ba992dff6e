-- What is wrong of a timeframe that is switched off before it is built again is wrong no more: no run would build it.
begin;
select plan(2);

call tests.clear();
update agg.environment set audit_percent = 10;
call tests.add_asset('ACME', '{"optional": ["15m"]}');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-02 00:00+00');
call tests.run('2025-07-02 00:30+00');
update public.derived_data_bars as d set high = 9 where d.timeframe = '15m' and d.ts_utc = '2025-07-01 10:00+00';
create procedure pg_temp.maintain() language plpgsql as $$
begin
  for i in 1..6 loop
    perform public.agg_maintain(p_now => timestamptz '2025-07-02 00:40+00' + i * interval '10 minutes');
  end loop;
end;
$$;
do $$ begin perform public.agg_maintain(p_now => '2025-07-02 00:40+00'); end; $$;
select is(
  (select string_agg(a.kind || ' ' || a.timeframe, ', ') from agg.alert as a where a.kind = 'wrong' and a.resolved_at is null), 'wrong 15m', 'a bar that was edited'
);
call tests.set_metadata('ACME', '{agg,optional}', '[]');
call pg_temp.maintain();
select is_empty($$ select from agg.alert as a where a.kind = 'wrong' and a.resolved_at is null $$, 'its timeframe is switched off');

select * from finish();
rollback;
