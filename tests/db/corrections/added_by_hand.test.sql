begin;
select plan(3);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 04:00+00');
call tests.run('2025-07-01 05:00+00');
-- With the triggers off, so that no note is left.
alter table public.data_bars disable trigger user;
update public.data_bars as b set high = 3 where b.ts_utc in ('2025-07-01 00:31+00', '2025-07-01 02:31+00');
call tests.run('2025-07-01 05:00+00');
select is_empty(
  'select d.ts_utc from public.derived_data_bars as d where d.high = 3', 'agg_run_due() corrects nothing without a note'
);
do $$ begin perform public.agg_add_change_note(array['ACME'], p_to => '2025-07-01 02:00+00'); end; $$;
call tests.run('2025-07-01 05:00+00');
select results_eq(
  'select d.timeframe, d.ts_utc from public.derived_data_bars as d where d.high = 3 order by 1',
  $$ values ('1h', timestamptz '2025-07-01 00:00+00'), ('5m', '2025-07-01 00:30+00') $$,
  'agg_run_due() corrects the range of the note from agg_add_change_note(), and no more'
);
do $$ begin perform public.agg_add_change_note(); end; $$;
call tests.run('2025-07-01 05:00+00');
select is_empty(
  'select v.ts_utc from public.agg_verify() as v', 'agg_run_due() corrects everything for a note of every symbol at every time'
);

select * from finish();
rollback;
