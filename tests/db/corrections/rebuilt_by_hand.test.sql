begin;
select plan(5);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 2, 1, 1, 1
from generate_series(0, 239) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
create function pg_temp.pending() returns text
language sql as $$
  select string_agg(k.canonical_symbol || ' ' || k.timeframe || ' ' || k.spans, '; ' order by k.timeframe) from agg.correction as k
$$;

-- Without the notes, so that nothing but the build by hand tells the next level.
update public.data_bars as b set high = 3 where b.ts_utc in ('2025-07-01 00:31+00', '2025-07-01 01:31+00', '2025-07-01 01:36+00');
delete from agg.change_note as n;
do $$ begin perform public.aggregate_1m_to_5m_window('ACME', '2025-07-01 00:00+00', '2025-07-01 00:05+00'); end; $$;
select is(pg_temp.pending(), null, 'aggregate_1m_to_5m_window() asks for nothing when it changes nothing');
do $$ begin perform public.aggregate_1m_to_5m_window('ACME', '2025-07-01 00:30+00', '2025-07-01 00:35+00'); end; $$;
select is(
  pg_temp.pending(), 'ACME 1h {["2025-07-01 00:30:00+00","2025-07-01 00:35:00+00")}',
  'aggregate_1m_to_5m_window() asks for a correction of the hour over a bar that it changes'
);
do $$ begin perform public.catchup_aggregation_range('ACME', '5m', '2025-07-01 01:25+00', 2, '2025-07-01 05:00+00'); end; $$;
select is(
  pg_temp.pending(),
  'ACME 1h {["2025-07-01 00:30:00+00","2025-07-01 00:35:00+00"),["2025-07-01 01:30:00+00","2025-07-01 01:40:00+00")}',
  'so does catchup_aggregation_range() from a cursor behind the stored one'
);
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
select results_eq(
  $$ select d.ts_utc from public.derived_data_bars as d where d.timeframe = '1h' and d.high = 3 order by 1 $$,
  $$ values (timestamptz '2025-07-01 00:00+00'), ('2025-07-01 01:00+00') $$,
  'agg_run_due() then builds these hours again'
);

insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select 'ACME', timestamptz '2025-07-01 04:00+00' + m.n * interval '1 minute', 1, 2, 1, 1, 1
from generate_series(0, 59) as m (n);
do $$
begin
  -- Claimed by a worker, no change of its source would be dropped.
  perform public.agg_start('ACME', '1h', '2025-07-01 06:00+00');
  perform public.catchup_aggregation_range('ACME', '5m', null, 100, '2025-07-01 06:00+00');
end;
$$;
select is(pg_temp.pending(), null, 'catchup_aggregation_range() asks for nothing ahead of the cursor');

select * from finish();
rollback;
