begin;
select plan(5);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 04:00+00');
call tests.run('2025-07-01 05:00+00');
create function pg_temp.pending() returns text
language sql as $$
  select string_agg(k.canonical_symbol || ' ' || k.timeframe || ' ' || k.spans, '; ' order by k.timeframe) from agg.correction as k
$$;

-- Without notes, so that only the single build can add a correction to the hour.
update public.data_bars as b set high = 3 where b.ts_utc in ('2025-07-01 00:31+00', '2025-07-01 01:31+00', '2025-07-01 01:36+00');
delete from agg.change_note as n;
do $$ begin perform public.aggregate_1m_to_5m_window('ACME', '2025-07-01 00:00+00', '2025-07-01 00:05+00'); end; $$;
select is(pg_temp.pending(), null, 'aggregate_1m_to_5m_window() adds no correction when it changes no bar');
do $$ begin perform public.aggregate_1m_to_5m_window('ACME', '2025-07-01 00:30+00', '2025-07-01 00:35+00'); end; $$;
select is(
  pg_temp.pending(), 'ACME 1h {["2025-07-01 00:30:00+00","2025-07-01 00:35:00+00")}',
  'aggregate_1m_to_5m_window() adds a correction of the hour over a bar that it changes'
);
do $$ begin perform public.catchup_aggregation_range('ACME', '5m', '2025-07-01 01:25+00', 2, '2025-07-01 05:00+00'); end; $$;
select is(
  pg_temp.pending(),
  'ACME 1h {["2025-07-01 00:30:00+00","2025-07-01 00:35:00+00"),["2025-07-01 01:30:00+00","2025-07-01 01:40:00+00")}',
  'catchup_aggregation_range() from a cursor behind the stored one adds one too'
);
call tests.run('2025-07-01 05:00+00');
select results_eq(
  $$ select d.ts_utc from public.derived_data_bars as d where d.timeframe = '1h' and d.high = 3 order by 1 $$,
  $$ values (timestamptz '2025-07-01 00:00+00'), ('2025-07-01 01:00+00') $$,
  'agg_run_due() then builds these hours again'
);

call tests.add_minutes('ACME', '2025-07-01 04:00+00', '2025-07-01 05:00+00');
do $$
begin
  -- While a worker holds the claim, no change of the source is dropped.
  perform public.agg_start('ACME', '1h', '2025-07-01 06:00+00');
  perform public.catchup_aggregation_range('ACME', '5m', null, 100, '2025-07-01 06:00+00');
end;
$$;
select is(pg_temp.pending(), null, 'catchup_aggregation_range() adds no correction ahead of the cursor');

select * from finish();
rollback;
