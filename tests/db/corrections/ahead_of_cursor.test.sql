begin;
select plan(4);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from generate_series(0, 29) as m (n);
do $$ begin perform agg.run_batch(p_now => '2025-07-01 00:04+00'); end; $$;
select is_empty(
  'select n.note_id from agg.change_note as n union all select k.correction_id from agg.correction as k',
  'agg.run_batch() drops notes that are ahead of the cursor'
);

do $$ begin perform public.agg_run_due(p_now => '2025-07-01 00:26+00'); end; $$;
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
