begin;
select plan(5);

create temporary table component as
select c.symbol, c.place::integer as place
from unnest(tests.rates()) with ordinality as c (symbol, place);
-- One minute for each of the 64 sets of components that can be there.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select c.symbol, timestamptz '2025-07-01 12:00+00' + s.mask * interval '1 minute', 1, 1, 1, 1
from component as c
cross join generate_series(0, 63) as s (mask)
where (s.mask >> (c.place - 1)) & 1 = 1;
select is(
  public.calc_dxy_range_1m('2025-07-01 12:00+00', '2025-07-01 14:00+00') - 'timestamp_range' - 'success',
  '{"inserted": 1, "updated": 0, "unchanged": 0, "removed": 0, "skipped_incomplete": 62, "derivation_version": 1}',
  'calc_dxy_range_1m() stores the one minute with all six and skips the 62 with some'
);
select results_eq(
  $$ select d.ts_utc from public.data_bars as d where d.canonical_symbol = 'DXY' order by 1 $$,
  $$ values (timestamptz '2025-07-01 13:03+00') $$,
  'calc_dxy_range_1m() stores it under its minute'
);

-- Each component in turn has a price that is not positive, as open and as close.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select c.symbol, timestamptz '2025-07-01 15:00+00' + m.n * interval '1 minute', v.open, 1, -1, v.close
from component as c
cross join generate_series(1, 24) as m (n)
cross join lateral (select (m.n - 1) / 4 + 1 = c.place as is_bad, case (m.n - 1) % 2 when 0 then 0 else -1 end as price) as b
cross join lateral (
  select
    case when b.is_bad and (m.n - 1) % 4 < 2 then b.price else 1 end as open,
    case when b.is_bad and (m.n - 1) % 4 >= 2 then b.price else 1 end as close
) as v;
select is(
  public.calc_dxy_range_1m('2025-07-01 15:00+00', '2025-07-01 16:00+00', 2) - 'timestamp_range' - 'success',
  '{"inserted": 0, "updated": 0, "unchanged": 0, "removed": 0, "skipped_incomplete": 24, "derivation_version": 2}',
  'calc_dxy_range_1m() skips every minute with a zero or negative price'
);

call tests.add_rates('2025-07-01 18:00+00', '2025-07-01 18:10+00');
select is(
  public.calc_dxy_range_1m('2025-07-01 18:02+00', '2025-07-01 18:05+00') -> 'inserted', '3',
  'calc_dxy_range_1m() takes the start of its range and leaves the end'
);
select results_eq(
  $$ select d.ts_utc from public.data_bars as d where d.canonical_symbol = 'DXY' and d.ts_utc >= '2025-07-01 18:00+00' order by 1 $$,
  $$ values (timestamptz '2025-07-01 18:02+00'), ('2025-07-01 18:03+00'), ('2025-07-01 18:04+00') $$,
  'calc_dxy_range_1m() stores nothing outside its range'
);

select * from finish();
rollback;
