begin;
select plan(12);

create function pg_temp.bars(p_symbol text, p_timeframe text) returns table (
  ts_utc timestamptz, open double precision, high double precision, low double precision, close double precision, vol double precision,
  trade_count bigint, covered integer, candles integer, quality integer, is_bar boolean
)
language sql as $$
  select
    d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.trade_count, d.covered_minutes, d.source_candles, d.quality_score::integer,
    d.deleted_at is null
  from public.derived_data_bars as d
  where d.canonical_symbol = p_symbol and d.timeframe = p_timeframe
  order by d.ts_utc
$$;

-- An hour with 36 minutes: two in the first and in the last five-minute window, four in each of eight others. What is extreme is in the two.
call tests.clear();
call tests.add_asset('THIN');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, trade_count)
select
  'THIN', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute',
  case m.n when 1 then 10 else 50 end, case m.n when 59 then 99 else 60 end, case m.n when 1 then 5 when 59 then 15 else 40 end,
  case m.n when 59 then 20 else 50 end, m.n, 1
from generate_series(0, 59) as m (n)
where m.n in (1, 3, 56, 59) or (m.n between 5 and 44 and m.n % 5 <> 0);
call tests.add_minute('THIN', '2025-07-01 01:00+00');
call tests.run('2025-07-01 02:00+00');
select results_eq(
  $$ select b.* from pg_temp.bars('THIN', '1h') as b where b.ts_utc = '2025-07-01 00:00+00' $$,
  $$
    values (
      timestamptz '2025-07-01 00:00+00', 10::double precision, 99::double precision, 5::double precision, 20::double precision,
      -- 1 + 3 + 56 + 59, and 5 to 44 without the eight multiples of five.
      919::double precision, 36::bigint, 36, 8, 0, true
    )
  $$,
  'the hour has open, high, low, close, volume and trades of minutes whose five-minute windows are no bars'
);
select results_eq(
  $$ select b.* from pg_temp.bars('THIN', '5m') as b where b.covered = 2 $$,
  $$
    values
      (timestamptz '2025-07-01 00:00+00', 10::double precision, 60::double precision, 5::double precision, 50::double precision,
        4::double precision, 2::bigint, 2, 2, null::integer, false),
      ('2025-07-01 00:55+00', 50, 99, 15, 20, 115, 2, 2, 2, null, false)
  $$,
  'these windows are kept, as rows that are no bars'
);
select is_empty('select v.* from public.agg_verify() as v', 'agg_verify() finds nothing to object to');
select results_eq(
  $$ select s.timeframe, s.total_bars_created, s.total_bars_quality_poor from public.data_agg_state as s order by 1 $$,
  $$ values ('1h', 1::bigint, 1::bigint), ('5m', 8, 0) $$,
  'they are not counted among the bars'
);

-- A late minute makes a bar of one of them, and its deletion takes the bar away again.
create temporary table row_before as
select d.canonical_symbol, d.timeframe, d.ts_utc, to_jsonb(d) - 'updated_at' as bar from public.derived_data_bars as d;
call tests.add_minute('THIN', '2025-07-01 00:58+00', 100);
select is(
  public.agg_run_due(p_now => '2025-07-01 02:00+00') -> 'bars_corrected', '2', 'a late minute corrects the five minutes and the hour'
);
select results_eq(
  $$ select b.covered, b.high, b.quality, b.is_bar from pg_temp.bars('THIN', '5m') as b where b.ts_utc = '2025-07-01 00:55+00' $$,
  $$ values (3, 100::double precision, 0, true) $$,
  'a window with three minutes is a bar'
);
select results_eq(
  $$ select b.covered, b.high, b.candles, b.is_bar from pg_temp.bars('THIN', '1h') as b where b.ts_utc = '2025-07-01 00:00+00' $$,
  $$ values (37, 100::double precision, 9, true) $$,
  'which its hour counts'
);
delete from public.data_bars as b where b.ts_utc = '2025-07-01 00:58+00';
call tests.run('2025-07-01 02:00+00');
select results_eq(
  $$
    select d.canonical_symbol, d.timeframe, d.ts_utc, to_jsonb(d) - 'updated_at' from public.derived_data_bars as d order by 1, 2, 3
  $$,
  'select r.* from row_before as r order by 1, 2, 3',
  'without it every row is as it was'
);
delete from public.data_bars as b where b.ts_utc >= '2025-07-01 00:55+00' and b.ts_utc < '2025-07-01 01:00+00';
call tests.run('2025-07-01 02:00+00');
select results_eq(
  $$ select b.covered, b.is_bar from pg_temp.bars('THIN', '5m') as b where b.ts_utc = '2025-07-01 00:55+00' $$,
  'values (0, false)',
  'a window that has lost all its minutes says so'
);
select results_eq(
  $$ select b.covered, b.quality, b.is_bar from pg_temp.bars('THIN', '1h') as b where b.ts_utc = '2025-07-01 00:00+00' $$,
  'values (34, null::integer, false)',
  'and its hour is no bar any more'
);

-- Minutes of which one was partial when it was taken, in a window that is no bar.
call tests.add_asset('PART');
call tests.add_minutes('PART', '2025-07-01 00:00+00', '2025-07-01 00:56+00');
call tests.add_minute('PART', '2025-07-01 01:00+00');
update public.data_bars as b set is_partial = true where b.canonical_symbol = 'PART' and b.ts_utc = '2025-07-01 00:55+00';
call tests.run('2025-07-01 02:00+00');
select results_eq(
  $$
    select d.timeframe, d.ts_utc, d.deleted_at is null
    from public.derived_data_bars as d
    where d.canonical_symbol = 'PART' and d.is_partial
    order by 1
  $$,
  $$ values ('1h', timestamptz '2025-07-01 00:00+00', true), ('5m', '2025-07-01 00:55+00', false) $$,
  'a partial minute makes its hour partial'
);
update public.data_bars as b set is_partial = false where b.canonical_symbol = 'PART';
call tests.run('2025-07-01 02:00+00');
select is_empty(
  'select d.ts_utc from public.derived_data_bars as d where d.canonical_symbol = ''PART'' and d.is_partial', 'until the whole minute comes'
);

select * from finish();
rollback;
