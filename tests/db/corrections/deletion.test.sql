begin;
select plan(6);

call tests.clear();
call tests.add_asset('ACME');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', m.n, m.n, m.n, m.n, 1
from generate_series(0, 179) as m (n);
create function pg_temp.first_hour() returns table (timeframe text, close double precision, covered integer, quality integer, is_deleted boolean)
language sql as $$
  select d.timeframe, d.close, d.covered_minutes, d.quality_score, d.deleted_at is not null
  from public.derived_data_bars as d
  where d.ts_utc in ('2025-07-01 00:00+00', '2025-07-01 00:30+00')
    and (d.timeframe = '1h' or d.ts_utc = '2025-07-01 00:30+00')
  order by 1
$$;
call tests.run('2025-07-01 04:00+00');
create temporary table bar_before as
select d.canonical_symbol, d.timeframe, d.ts_utc, to_jsonb(d) - 'updated_at' as bar from public.derived_data_bars as d;
create temporary table lost as
select b.* from public.data_bars as b where b.ts_utc >= '2025-07-01 00:32+00' and b.ts_utc < '2025-07-01 00:35+00';

delete from public.data_bars as b where b.ts_utc = '2025-07-01 00:34+00';
call tests.run('2025-07-01 04:00+00');
select results_eq(
  'select h.* from pg_temp.first_hour() as h',
  $$ values ('1h', 59::double precision, 59, 1, false), ('5m', 33, 4, 1, false) $$,
  'a deleted minute brings its 5m and its 1h bar down a quality step'
);

delete from public.data_bars as b where b.ts_utc in (select l.ts_utc from lost as l);
select is(
  public.agg_run_due(p_now => '2025-07-01 04:00+00') -> 'bars_corrected', '2', 'agg_run_due() counts a bar that it takes away'
);
select results_eq(
  'select h.* from pg_temp.first_hour() as h',
  $$ values ('1h', 59::double precision, 57, 1, false), ('5m', 31, 2, null, true) $$,
  'a 5m bar with too few minutes left is soft-deleted, and its hour loses the deleted minutes alone'
);

insert into public.data_bars select l.* from lost as l;
call tests.run('2025-07-01 04:00+00');
select results_eq(
  'select d.canonical_symbol, d.timeframe, d.ts_utc, to_jsonb(d) - ''updated_at'' from public.derived_data_bars as d order by 1, 2, 3',
  'select b.* from bar_before as b order by 1, 2, 3',
  'once the minutes are back every bar is as it was'
);

delete from public.data_bars as b where b.ts_utc >= '2025-07-01 01:00+00';
call tests.run('2025-07-01 04:00+00');
select results_eq(
  'select d.timeframe, count(*) from public.derived_data_bars as d where d.deleted_at is null group by 1 order by 1',
  $$ values ('1h', 1::bigint), ('5m', 12) $$,
  'deleted hours take all their bars away, at every level'
);

truncate public.data_bars;
call tests.run('2025-07-01 04:00+00');
select is_empty(
  'select d.ts_utc from public.derived_data_bars as d where d.deleted_at is null', 'a truncate leaves no bar'
);

select * from finish();
rollback;
