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
select is(pg_temp.highs(), '5m 00:10', 'a window built by hand ahead of the cursor follows its source');

do $$ begin perform public.catchup_aggregation_range('ACME', '5m', p_max_windows => 6, p_until_utc => '2025-07-01 05:00+00'); end; $$;
do $$ begin perform pg_temp.edit('2025-07-01 00:27+00'); perform pg_temp.edit('2025-07-01 00:32+00'); end; $$;
select is(pg_temp.highs(), '5m 00:10, 5m 00:25', 'so do windows of a catch-up whose cursor nobody has stored, and no others');
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
select is(
  pg_temp.highs(), '1h 00:00, 5m 00:10, 5m 00:25, 5m 00:30', 'agg_run_due() comes to these windows all the same'
);

do $$ begin perform public.agg_bootstrap_cursor('ACME', '5m'); end; $$;
do $$ begin perform pg_temp.edit('2025-07-01 02:01+00'); end; $$;
select is(
  pg_temp.highs(), '1h 00:00, 5m 00:10, 5m 00:25, 5m 00:30, 1h 02:00, 5m 02:00', 'so do windows that a reset has put ahead of the cursor'
);

select * from finish();
rollback;
