begin;
select plan(4);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 2, 1, 1, 1
from generate_series(0, 239) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
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
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol) values ('ACME', '2025-07-01 04:50+00', 1, 2, 1, 1, 1);
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
update public.data_bars as b set close = 2 where b.ts_utc = '2025-07-01 00:30+00';
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:03+00', p_time_budget => '0'); end; $$;
select is(pg_temp.failing(), '00:30 4 05:11, 01:30 1 05:04', 'agg_run_due() tries a window at once whose source has changed');

select * from finish();
rollback;
