begin;
select plan(8);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 04:00+00');
call tests.run('2025-07-01 05:00+00');
select throws_ok($$ select * from public.agg_verify('NOBODY') $$, 'P0002', null, 'agg_verify() refuses a symbol without tasks');
select throws_ok($$ select * from public.agg_verify('ACME', '1m') $$, 'P0002', null, 'agg_verify() refuses a timeframe that the symbol has no task for');
select throws_ok($$ select * from public.agg_verify(null, '7m') $$, '22023', null, 'agg_verify() refuses an unknown timeframe');
select throws_ok(
  $$ select * from public.agg_verify('ACME', 'bogus') $$, '22023', null, 'agg_verify() refuses an unknown timeframe of a symbol that has tasks, too'
);
select throws_ok(
  $$ select * from public.agg_verify('ACME', '5m', '2025-07-01 01:00+00', '2025-07-01 01:00+00') $$, '22023', null,
  'agg_verify() refuses an empty range'
);
select throws_ok(
  $$ select * from public.agg_verify('ACME', '5m', '2025-07-01 02:00+00', '2025-07-01 01:00+00') $$, '22023', null,
  'agg_verify() refuses a range that ends before it begins'
);
select throws_ok($$ select public.agg_repair('NOBODY') $$, 'P0002', null, 'agg_repair() refuses what agg_verify() refuses');
select is_empty('select k.correction_id from agg.correction as k', 'agg_repair() then adds no correction');

select * from finish();
rollback;
