begin;
select plan(4);

call tests.add_rates('2025-07-01 12:00+00', '2025-07-01 12:05+00');
do $$ begin perform public.calc_dxy_range_1m('2025-07-01 12:00+00', '2025-07-01 12:05+00'); end; $$;

delete from public.data_bars as b where b.canonical_symbol = 'USDSEK' and b.ts_utc in ('2025-07-01 12:01+00', '2025-07-01 12:04+00');
update public.data_bars as b set close = 0, low = 0 where b.canonical_symbol = 'USDCHF' and b.ts_utc = '2025-07-01 12:02+00';
-- A bar with another source must stay.
set local session_replication_role = replica;
call tests.add_minute('DXY', '2025-07-01 12:05+00', 97);
set local session_replication_role = origin;
select is(
  public.calc_dxy_range_1m('2025-07-01 12:00+00', '2025-07-01 12:04+00') - 'timestamp_range' - 'success',
  '{"inserted": 0, "updated": 0, "unchanged": 2, "removed": 2, "skipped_incomplete": 2, "derivation_version": 1}',
  'calc_dxy_range_1m() removes the minutes of its range that are not complete any more'
);
select is(
  public.calc_dxy_range_1m('2025-07-01 12:04+00', '2025-07-01 12:06+00') -> 'removed', '1', 'calc_dxy_range_1m() counts what it removes'
);
select results_eq(
  $$ select d.ts_utc, d.source from public.data_bars as d where d.canonical_symbol = 'DXY' order by 1 $$,
  $$
    values
      (timestamptz '2025-07-01 12:00+00', 'synthetic'), ('2025-07-01 12:03+00', 'synthetic'), ('2025-07-01 12:05+00', 'ingest')
  $$,
  'calc_dxy_range_1m() leaves the others, and bars that are not synthetic'
);
delete from public.data_bars as b where b.canonical_symbol = 'EURUSD';
select is(
  public.calc_dxy_range_1m('2025-07-01 12:00+00', '2025-07-01 12:06+00') -> 'removed', '2',
  'calc_dxy_range_1m() removes every minute when a component is gone'
);

select * from finish();
rollback;
