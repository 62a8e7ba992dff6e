-- Rows of a former alignment that lie behind a gap stop no task: cursors stay aligned.
begin;
select plan(4);

call tests.clear();
call tests.add_asset('AAPL', '{
  "start_utc": "2026-10-05T00:00:00Z", "session": "us_equity", "optional": ["1d"], "day_close": {"time": "17:00", "time_zone": "America/New_York"}
}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'AAPL', m.ts_utc, 1, 1, 1, 1
from generate_series(timestamptz '2026-10-05 13:30+00', timestamptz '2026-10-30 19:59+00', interval '1 minute') as m (ts_utc)
where extract(isodow from m.ts_utc) < 6 and (m.ts_utc at time zone 'America/New_York')::time between '09:30' and '15:59';
call tests.run('2026-11-02 00:10+00');
select is((select count(*) from public.derived_data_bars as d where d.timeframe = '1d' and d.deleted_at is null), 19::bigint, 'days of New York');

update public.core_asset_registry_all as r set metadata = r.metadata #- '{agg,day_close}' where r.canonical_symbol = 'AAPL';
select lives_ok(
  $$ do $b$ begin for i in 1..20 loop perform public.agg_run_due(p_now => '2026-11-02 00:11+00', p_batch_windows => 6); end loop; end $b$ $$,
  'in small batches they become days of UTC'
);
select results_eq(
  $$ select d.deleted_at is not null, count(*) from public.derived_data_bars as d where d.timeframe = '1d' and d.covered_minutes > 0 group by 1 $$,
  $$ values (false, 20::bigint) $$, 'as many'
);
select is_empty('select * from public.agg_verify()', 'and right');

select * from finish();
rollback;
