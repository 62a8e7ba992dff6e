begin;
select plan(4);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 04:00+00');
call tests.run('2025-07-01 05:00+00');
-- One wrong bar without a note, one late change that waits as a correction, and one whose note is not read.
update public.derived_data_bars as d set high = 9 where d.timeframe = '5m' and d.ts_utc = '2025-07-01 00:00+00';
update public.data_bars as b set high = 3 where b.ts_utc = '2025-07-01 01:02+00';
do $$ begin perform agg.take_notes(10); end; $$;
update public.data_bars as b set high = 3 where b.ts_utc = '2025-07-01 02:04+00';
select results_eq(
  $$ select v.ts_utc, v.is_pending from public.agg_verify('ACME', '5m') as v $$,
  $$
    values (timestamptz '2025-07-01 00:00+00', false), ('2025-07-01 01:00+00', true), ('2025-07-01 02:00+00', true)
  $$,
  'agg_verify() marks as pending what the next run fixes'
);
call tests.run('2025-07-01 05:00+00');
select results_eq(
  $$ select v.ts_utc, v.is_pending from public.agg_verify('ACME', '5m') as v $$,
  $$ values (timestamptz '2025-07-01 00:00+00', false) $$,
  'the next run fixes what was pending'
);

-- A wrong hour with a repair under way, over a wrong 5m bar without one.
update public.derived_data_bars as d set high = 9 where d.ts_utc = '2025-07-01 03:00+00';
update public.derived_data_bars as d set vol = 99 where d.timeframe = '1h' and d.ts_utc = '2025-07-01 03:00+00';
do $$ begin perform public.agg_repair('ACME', '1h', '2025-07-01 03:00+00'); end; $$;
select results_eq(
  $$ select v.timeframe, v.is_pending from public.agg_verify('ACME', p_from => '2025-07-01 03:00+00') as v $$,
  $$ values ('5m', false), ('1h', true) $$,
  'agg_verify() marks each level of a window by itself'
);
call tests.run('2025-07-01 05:00+00');
select results_eq(
  $$ select v.timeframe, v.ts_utc from public.agg_verify('ACME', p_from => '2025-07-01 03:00+00') as v $$,
  $$ values ('5m', timestamptz '2025-07-01 03:00+00') $$,
  'the next run fixes the hour alone'
);

select * from finish();
rollback;
