begin;
select plan(9);

insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
select
  'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', p.price, p.price + 1, p.price - 1, p.price,
  case when m.n % 7 > 0 then p.price / 3 end, case when m.n % 5 > 0 then p.price / 7 end, case when m.n % 11 > 0 then m.n end
from generate_series(0, 359) as m (n)
cross join lateral (select 100 + sin(m.n) as price) as p;

create function pg_temp.build_morning() returns integer
language plpgsql as $$
begin
  perform public.aggregate_1m_to_5m_window('ACME', w.ts_utc, w.ts_utc + interval '5 minutes')
  from generate_series(timestamptz '2025-07-01 00:00+00', timestamptz '2025-07-01 05:55+00', interval '5 minutes') as w (ts_utc);
  perform public.aggregate_5m_to_1h_window('ACME', w.ts_utc, w.ts_utc + interval '1 hour')
  from generate_series(timestamptz '2025-07-01 00:00+00', timestamptz '2025-07-01 05:00+00', interval '1 hour') as w (ts_utc);
  return (select count(*) from public.derived_data_bars as d where d.deleted_at is null);
end;
$$;

select is(pg_temp.build_morning(), 72 + 6, 'six hours are 72 5m bars and 6 1h bars');
create temporary table stored_before as select d.ctid as place, d.* from public.derived_data_bars as d;

select is(pg_temp.build_morning(), 72 + 6, 'building them again leaves as many bars');
select results_eq(
  'select d.ctid, d.timeframe, d.ts_utc from public.derived_data_bars as d order by d.timeframe, d.ts_utc',
  'select b.place, b.timeframe, b.ts_utc from stored_before as b order by b.timeframe, b.ts_utc',
  'build_windows() writes no row version when nothing differs'
);

-- Aged, since now() stands still within a transaction.
update public.derived_data_bars as d set updated_at = '2025-07-02 00:00+00';
create temporary table aged as select d.ctid as place, d.* from public.derived_data_bars as d;
update public.data_bars as b set close = b.high where b.ts_utc = '2025-07-01 03:38+00';
select is(pg_temp.build_morning(), 72 + 6, 'building them after an edit within a window leaves as many bars');
select is_empty(
  $$
    select d.timeframe, d.ts_utc
    from public.derived_data_bars as d
    join aged as a on a.timeframe = d.timeframe and a.ts_utc = d.ts_utc
    where d.ctid <> a.place
  $$,
  'build_windows() writes nothing when an edited minute changes no bar'
);
update public.data_bars as b set close = b.high where b.ts_utc = '2025-07-01 03:39+00';
select is(pg_temp.build_morning(), 72 + 6, 'building them after an edit of a last minute leaves as many bars');
select results_eq(
  $$ select d.close from public.derived_data_bars as d where d.ts_utc = '2025-07-01 03:35+00' order by 1 $$,
  $$ select b.close from public.data_bars as b where b.ts_utc = '2025-07-01 03:39+00' order by 1 $$,
  'build_windows() takes over the edited close'
);
select results_eq(
  $$
    select d.timeframe, d.ts_utc
    from public.derived_data_bars as d
    where d.updated_at <> '2025-07-02 00:00+00'
    order by 1, 2
  $$,
  $$ values ('5m', timestamptz '2025-07-01 03:35+00') $$,
  'build_windows() touches updated_at of the bar that it writes and of no other'
);
select is_empty(
  $$ select d.ts_utc from public.derived_data_bars as d where d.created_at <> now() $$,
  'build_windows() keeps created_at'
);

select * from finish();
rollback;
