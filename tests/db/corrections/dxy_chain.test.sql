begin;
select plan(6);

call tests.add_rates('2025-07-01 00:00+00', '2025-07-01 02:00+00');
delete from public.data_bars as b where b.canonical_symbol = 'USDSEK' and b.ts_utc = '2025-07-01 00:32+00';
create function pg_temp.dxy() returns table (timeframe text, close double precision, high double precision, quality integer)
language sql as $$
  select b.timeframe, b.close, b.high, null::integer
  from public.data_bars as b
  where b.canonical_symbol = 'DXY' and b.ts_utc = '2025-07-01 00:32+00'
  union all
  select d.timeframe, d.close, d.high, d.quality_score
  from public.derived_data_bars as d
  where d.canonical_symbol = 'DXY' and d.ts_utc in ('2025-07-01 00:30+00', '2025-07-01 00:00+00') and d.deleted_at is null
    and (d.timeframe = '1h' or d.ts_utc = '2025-07-01 00:30+00')
  order by 1
$$;
call tests.run('2025-07-01 03:00+00');
select results_eq(
  'select d.* from pg_temp.dxy() as d',
  $$ values ('1h', 50.14348112::double precision, 50.14348112::double precision, 1), ('5m', 50.14348112, 50.14348112, 1) $$,
  'DXY goes on without the minute that USDSEK lacks'
);

-- 1.5 ^ 0.042 x 50.14348112
call tests.add_minute('USDSEK', '2025-07-01 00:32+00', 1.5);
select is(
  (public.agg_run_due(p_now => '2025-07-01 03:00+00') ->> 'bars_corrected')::integer, 3,
  'agg_run_due() corrects three bars for one late component'
);
select results_eq(
  'select d.timeframe, d.close, round(d.high::numeric, 6), d.quality from pg_temp.dxy() as d',
  $$
    values
      ('1h', 50.14348112::double precision, 51.004714::numeric, 2), ('1m', 51.00471364, 51.004714, null),
      ('5m', 50.14348112, 51.004714, 2)
  $$,
  'a late component reaches DXY 1m, 5m and 1h'
);

update public.data_bars as b set open = 1, high = 1, low = 1, close = 1
where b.canonical_symbol = 'USDSEK' and b.ts_utc = '2025-07-01 00:32+00';
call tests.run('2025-07-01 03:00+00');
select results_eq(
  'select d.* from pg_temp.dxy() as d',
  $$
    values
      ('1h', 50.14348112::double precision, 50.14348112::double precision, 2), ('1m', 50.14348112, 50.14348112, null),
      ('5m', 50.14348112, 50.14348112, 2)
  $$,
  'an edited component reaches DXY 1m, 5m and 1h'
);

delete from public.data_bars as b where b.canonical_symbol = 'USDJPY' and b.ts_utc = '2025-07-01 00:32+00';
call tests.run('2025-07-01 03:00+00');
select results_eq(
  'select d.* from pg_temp.dxy() as d',
  $$ values ('1h', 50.14348112::double precision, 50.14348112::double precision, 1), ('5m', 50.14348112, 50.14348112, 1) $$,
  'a deleted component takes the DXY minute away, and lowers 5m and 1h'
);
select is_empty(
  'select n.note_id from agg.change_note as n union all select k.correction_id from agg.correction as k',
  'agg_run_due() leaves neither notes nor corrections'
);

select * from finish();
rollback;
