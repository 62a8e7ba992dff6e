begin;
select plan(4);

-- A task fails whose bars overflow, which no door lets in.
alter table public.data_bars drop constraint data_bars_vol_in_range;

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 04:00+00');
call tests.run('2025-07-01 05:00+00');
create function pg_temp.failing() returns text
language sql as $$
  select string_agg(to_char(lower(k.spans), 'HH24:MI') || ' ' || k.failures || ' ' || to_char(k.retry_at, 'HH24:MI'), ', ' order by k.spans)
  from agg.correction as k
$$;
create function pg_temp.overflow(p_from timestamptz, p_now timestamptz) returns void
language plpgsql as $$
begin
  update public.data_bars as b set vol = 1e308 where b.ts_utc in (p_from, p_from + interval '1 minute');
  perform public.agg_run_due(p_now => p_now, p_time_budget => '0');
end;
$$;

do $$ begin perform pg_temp.overflow('2025-07-01 00:30+00', '2025-07-01 05:00+00'); end; $$;
call tests.add_minute('ACME', '2025-07-01 04:50+00');
update public.data_bars as b set high = 3 where b.ts_utc = '2025-07-01 02:31+00';
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00', p_time_budget => '0'); end; $$;
select is(pg_temp.failing(), '00:30 1 05:01', 'agg_run_due() leaves a failed window to its time, whatever else of its symbol changes');
select is(
  (select count(*) from public.derived_data_bars as d where d.high = 3), 2::bigint, 'agg_run_due() makes the other corrections meanwhile'
);

do $$
begin
  perform public.agg_run_due(p_now => '2025-07-01 05:01+00', p_time_budget => '0');
  perform pg_temp.overflow('2025-07-01 01:30+00', '2025-07-01 05:03+00');
end;
$$;
select is(pg_temp.failing(), '00:30 3 05:07, 01:30 1 05:04', 'agg_run_due() counts the failures of each window apart');
update public.data_bars as b set high = 2, close = 2 where b.ts_utc = '2025-07-01 00:30+00';
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:03+00', p_time_budget => '0'); end; $$;
select is(pg_temp.failing(), '00:30 4 05:11, 01:30 1 05:04', 'agg_run_due() tries a window at once whose source has changed');

select * from finish();
rollback;
