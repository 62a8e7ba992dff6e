begin;
select plan(6);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_asset('OTHER');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 04:00+00');
call tests.add_minutes('OTHER', '2025-07-01 00:00+00', '2025-07-01 04:00+00');
call tests.run('2025-07-01 05:00+00');
select is_empty('select p.timeframe from public.agg_pending() as p', 'agg_pending() lists nothing when nothing waits');
call tests.add_minute('ACME', '2025-07-01 06:00+00');
select is_empty('select p.timeframe from public.agg_pending() as p', 'agg_pending() lists nothing that is ahead of the cursor');

update public.data_bars as b set high = 2
where b.canonical_symbol = 'ACME' and b.ts_utc in ('2025-07-01 00:31+00', '2025-07-01 00:33+00', '2025-07-01 02:04+00');
do $$ begin perform public.agg_add_change_note(array['OTHER'], '2025-07-01 01:07+00', '2025-07-01 01:31+00'); end; $$;
select results_eq(
  'select p.canonical_symbol, p.timeframe, p.windows, p.from_utc, p.to_utc, p.failures, p.explanation from public.agg_pending() as p',
  $$
    values
      ('ACME', '5m', 2::bigint, timestamptz '2025-07-01 00:30+00', timestamptz '2025-07-01 02:05+00', 0, 'the next run takes it'),
      ('OTHER', '5m', 6, '2025-07-01 01:05+00', '2025-07-01 01:35+00', 0, 'the next run takes it')
  $$,
  'agg_pending() counts the windows that notes touch, by task'
);

do $$ begin perform agg.take_notes(10); end; $$;
update public.data_bars as b set high = 2 where b.canonical_symbol = 'ACME' and b.ts_utc in ('2025-07-01 00:34+00', '2025-07-01 03:00+00');
select results_eq(
  'select p.canonical_symbol, p.windows, p.to_utc from public.agg_pending() as p',
  $$ values ('ACME', 3::bigint, timestamptz '2025-07-01 03:05+00'), ('OTHER', 6, '2025-07-01 01:35+00') $$,
  'agg_pending() counts corrections and notes together, each window once'
);

-- Only time makes them old, so their age is set here.
update agg.correction as k set changed_at = '2025-07-01 05:00+00' where k.canonical_symbol = 'ACME';
update agg.change_note as n set changed_at = '2025-07-01 07:00+00';
update agg.correction as k set changed_at = '2025-07-01 09:00+00' where k.canonical_symbol = 'OTHER';
select results_eq(
  $$ select p.canonical_symbol, p.oldest from public.agg_pending('2025-07-01 08:00+00') as p $$,
  $$ values ('ACME', interval '3 hours'), ('OTHER', interval '0') $$,
  'agg_pending() takes the age of the oldest at p_now, never less than nothing'
);
call tests.run('2025-07-01 05:00+00');
select is_empty('select p.timeframe from public.agg_pending() as p', 'agg_pending() lists nothing after the next run');

select * from finish();
rollback;
