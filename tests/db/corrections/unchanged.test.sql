begin;
select plan(4);

call tests.clear();
call tests.add_asset('ACME');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
select
  'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', p.price, p.price + 1, p.price - 1, p.price,
  p.price / 3, p.price / 7, m.n
from generate_series(0, 239) as m (n)
cross join lateral (select 100 + sin(m.n) as price) as p
where m.n % 11 > 0;
call tests.run('2025-07-01 05:00+00');
create temporary table bar_before as select d.timeframe, d.ts_utc, d.ctid as place from public.derived_data_bars as d;

insert into public.data_bars
select b.* from public.data_bars as b
on conflict (canonical_symbol, timeframe, ts_utc) do update set close = excluded.close, updated_at = now();
create temporary table run as select public.agg_run_due(p_now => '2025-07-01 05:00+00') as result;
select cmp_ok((r.result ->> 'windows')::integer, '>=', 48, 'agg_run_due() builds again what a vendor resent') from run as r;
select is(r.result -> 'bars_corrected', '0', 'agg_run_due() corrects no bar that stays the same') from run as r;

-- The close of a minute that is not the last of its window.
update public.data_bars as b set close = b.high where b.ts_utc = '2025-07-01 01:37+00';
select is(
  public.agg_run_due(p_now => '2025-07-01 05:00+00') -> 'bars_corrected', '0', 'agg_run_due() corrects no bar for an edit that changes none'
);
select results_eq(
  'select d.timeframe, d.ts_utc, d.ctid from public.derived_data_bars as d order by 1, 2',
  'select b.* from bar_before as b order by 1, 2',
  'agg_run_due() writes no row version for these'
);

select * from finish();
rollback;
