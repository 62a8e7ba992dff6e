begin;
select plan(4);

call tests.add_rates('2025-07-01 00:00+00', '2025-07-01 02:00+00');
-- Minute 40 is never complete.
delete from public.data_bars as b where b.canonical_symbol = 'USDCHF' and b.ts_utc = '2025-07-01 00:40+00';
call tests.run('2025-07-01 03:00+00');
select is_empty('select v.ts_utc from public.agg_verify() as v', 'agg_verify() lists nothing when every synthetic minute is right');

-- Unnoticed: the notes are lost.
set local session_replication_role = replica;
delete from public.data_bars as b where b.canonical_symbol = 'DXY' and b.ts_utc = '2025-07-01 00:10+00';
update public.data_bars as b set high = 60, raw = '{}' where b.canonical_symbol = 'DXY' and b.ts_utc = '2025-07-01 00:20+00';
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, source)
values ('DXY', '2025-07-01 00:40+00', 50, 50, 50, 50, 'synthetic');
set local session_replication_role = origin;
delete from agg.change_note;
select results_eq(
  $$ select v.canonical_symbol, v.timeframe, v.ts_utc, v.problem, v.is_pending from public.agg_verify('DXY', '1m') as v $$,
  $$
    values
      ('DXY', '1m', timestamptz '2025-07-01 00:10+00', 'missing', false), ('DXY', '1m', '2025-07-01 00:20+00', 'different', false),
      ('DXY', '1m', '2025-07-01 00:40+00', 'stale', false)
  $$,
  'agg_verify() lists synthetic minutes that are missing, different or stale'
);
select results_eq(
  $$
    select v.problem, v.stored -> 'high', v.stored -> 'source', v.expected -> 'high', v.expected -> 'source'
    from public.agg_verify('DXY', '1m') as v
  $$,
  $$
    values
      ('missing', null::jsonb, null::jsonb, '50.14348112'::jsonb, '"synthetic"'::jsonb),
      ('different', '60', null, '50.14348112', null), ('stale', '50', '"synthetic"', null, null)
  $$,
  'agg_verify() shows what is stored and what is expected'
);
select is(
  (
    select v.expected - 'high' #- '{raw,components}'
    from public.agg_verify('DXY', '1m') as v
    where v.problem = 'different'
  ),
  '{"raw": {"kind": "dxy", "derivation_version": 1, "prices": "flat", "formula_base": 50.14348112}}',
  'agg_verify() shows only the fields that differ'
);

select * from finish();
rollback;
