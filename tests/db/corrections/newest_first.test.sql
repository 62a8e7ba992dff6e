begin;
select plan(4);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 10:00+00');
call tests.run('2025-07-01 10:05+00');
create function pg_temp.corrected(p_timeframe text) returns text
language sql as $$
  select string_agg(to_char(d.ts_utc, 'HH24:MI'), ' ' order by d.ts_utc)
  from public.derived_data_bars as d
  where d.timeframe = p_timeframe and d.high = 2
$$;

update public.data_bars as b set high = 2
where b.ts_utc in ('2025-07-01 01:10+00', '2025-07-01 04:00+00', '2025-07-01 04:06+00', '2025-07-01 08:59+00');
call tests.run_batch('2025-07-01 10:05+00', 2);
select results_eq(
  $$ values (pg_temp.corrected('5m'), pg_temp.corrected('1h')) $$, $$ values ('04:05 08:55', '04:00 08:00') $$,
  'agg.run_batch() corrects the newest windows first, and their hours with them'
);
select is(
  (select k.spans from agg.correction as k),
  tstzmultirange(
    tstzrange('2025-07-01 01:10+00', '2025-07-01 01:11+00'), tstzrange('2025-07-01 04:00+00', '2025-07-01 04:01+00')
  ),
  'agg.run_batch() leaves the rest for later'
);

update public.data_bars as b set high = 2 where b.ts_utc = '2025-07-01 09:00+00';
call tests.run_batch('2025-07-01 10:05+00', 1);
select is(pg_temp.corrected('5m'), '04:05 08:55 09:00', 'agg.run_batch() takes what is newer before what waits');
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 10:05+00', p_batch_windows => 1); end; $$;
select results_eq(
  $$ values (pg_temp.corrected('5m'), pg_temp.corrected('1h')) $$,
  $$ values ('01:10 04:00 04:05 08:55 09:00', '01:00 04:00 08:00 09:00') $$,
  'agg_run_due() goes on until nothing waits'
);

select * from finish();
rollback;
