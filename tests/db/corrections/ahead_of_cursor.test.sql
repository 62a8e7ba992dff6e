begin;
select plan(4);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:30+00');
call tests.run_batch('2025-07-01 00:04+00', 1000);
select is_empty(
  'select n.note_id from agg.change_note as n union all select k.correction_id from agg.correction as k',
  'agg.run_batch() drops notes that are ahead of the cursor'
);

call tests.run('2025-07-01 00:26+00');
select is(
  (select s.last_agg_bar_ts_utc from public.data_agg_state as s where s.timeframe = '5m'), timestamptz '2025-07-01 00:15+00',
  'the cursor stands at 00:15 for this test'
);
do $$
begin
  perform public.agg_add_change_note(array['ACME'], '2025-07-01 00:12+00', '2025-07-01 00:24+00');
  perform agg.take_notes(1);
end;
$$;
select results_eq(
  'select k.canonical_symbol, k.timeframe, k.spans from agg.correction as k order by 2',
  $$ values ('ACME', '5m', tstzmultirange(tstzrange('2025-07-01 00:12+00', '2025-07-01 00:20+00'))) $$,
  'agg.take_notes() keeps what is decided of a note, and drops the rest'
);
do $$
begin
  perform public.agg_add_change_note(array['NOBODY'], '2025-07-01 00:00+00', '2025-07-02 00:00+00');
  perform agg.take_notes(1);
end;
$$;
select is(
  (select count(*) from agg.correction as k), 1::bigint, 'agg.take_notes() drops notes of symbols without a task'
);

select * from finish();
rollback;
