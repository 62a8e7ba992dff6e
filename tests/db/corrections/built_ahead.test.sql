begin;
select plan(4);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 04:00+00');
do $$ begin perform agg.take_notes(10); end; $$;
create function pg_temp.edit(p_ts timestamptz) returns void
language plpgsql as $$
begin
  update public.data_bars as b set high = 3 where b.ts_utc = p_ts;
  -- No task is due.
  perform public.agg_run_due(p_now => '2025-07-01 00:05+00');
end;
$$;
create function pg_temp.highs() returns text
language sql as $$
  select string_agg(d.timeframe || ' ' || to_char(d.ts_utc, 'HH24:MI'), ', ' order by d.ts_utc, d.timeframe)
  from public.derived_data_bars as d
  where d.high = 3
$$;

do $$ begin perform public.aggregate_1m_to_5m_window('ACME', '2025-07-01 00:10+00', '2025-07-01 00:15+00'); end; $$;
do $$ begin perform pg_temp.edit('2025-07-01 00:12+00'); end; $$;
select is(pg_temp.highs(), '5m 00:10', 'a single window that was built ahead of the cursor is corrected');

do $$ begin perform public.catchup_aggregation_range('ACME', '5m', p_max_windows => 6, p_until_utc => '2025-07-01 05:00+00'); end; $$;
do $$ begin perform pg_temp.edit('2025-07-01 00:27+00'); perform pg_temp.edit('2025-07-01 00:32+00'); end; $$;
select is(pg_temp.highs(), '5m 00:10, 5m 00:25', 'windows of a catch-up whose cursor was not stored are corrected, and no others');
call tests.run('2025-07-01 05:00+00');
select is(
  pg_temp.highs(), '1h 00:00, 5m 00:10, 5m 00:25, 5m 00:30', 'agg_run_due() builds these windows again when it reaches them'
);

do $$ begin perform public.agg_bootstrap_cursor('ACME', '5m'); end; $$;
do $$ begin perform pg_temp.edit('2025-07-01 02:01+00'); end; $$;
select is(
  pg_temp.highs(), '1h 00:00, 5m 00:10, 5m 00:25, 5m 00:30, 1h 02:00, 5m 02:00', 'windows that a reset put ahead of the cursor are corrected'
);

select * from finish();
rollback;
