begin;
select plan(2);

-- An hour without its highest minute, 00:10.
call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:10+00');
call tests.add_minutes('ACME', '2025-07-01 00:11+00', '2025-07-01 01:00+00');
call tests.run('2025-07-01 01:05+00');

-- The recipe of docs/operations.md.
alter table public.data_bars disable trigger note_insert;
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values ('ACME', '2025-07-01 00:10+00', 1, 9, 1, 1);
alter table public.data_bars enable trigger note_insert;
call tests.run('2025-07-01 01:06+00');
select is_empty($$ select d.ts_utc from public.derived_data_bars as d where d.high = 9 $$, 'a change without a note changes no bar');
do $$ begin perform public.agg_add_change_note(array['ACME'], '2025-07-01 00:10+00', '2025-07-01 00:11+00'); end; $$;
call tests.run('2025-07-01 01:07+00');
select results_eq(
  $$ select d.timeframe, d.ts_utc from public.derived_data_bars as d where d.high = 9 order by 1 $$,
  $$ values ('1h', timestamptz '2025-07-01 00:00+00'), ('5m', '2025-07-01 00:10+00') $$,
  'agg_add_change_note() stands for the notes of a load with the triggers off'
);

select * from finish();
rollback;
