begin;
select plan(10);

select is(
  public.agg_add_change_note(array['ACME', 'OTHER', 'ACME'], '2025-07-01 00:00+00', '2025-07-02 00:00+00'),
  '{"success": true, "symbols": 2, "from_utc": "2025-07-01T00:00:00+00:00", "to_utc": "2025-07-02T00:00:00+00:00"}',
  'agg_add_change_note() counts the symbols of the note'
);
select results_eq(
  $$
    select u.symbol, u.from_utc, u.to_utc
    from agg.change_note as n
    cross join lateral unnest(n.symbols, n.from_utc, n.to_utc) as u (symbol, from_utc, to_utc)
    order by 1
  $$,
  $$
    values
      ('ACME', timestamptz '2025-07-01 00:00+00', timestamptz '2025-07-02 00:00+00'),
      ('OTHER', '2025-07-01 00:00+00', '2025-07-02 00:00+00')
  $$,
  'agg_add_change_note() writes its range for each symbol, once'
);

delete from agg.change_note as n;
select is(
  public.agg_add_change_note(), '{"success": true, "symbols": null, "from_utc": null, "to_utc": null}',
  'agg_add_change_note() accepts nulls'
);
do $$ begin perform public.agg_add_change_note(array['ACME'], p_to => '2025-07-02 00:00+00'); end; $$;
select results_eq(
  'select n.symbols, n.from_utc, n.to_utc from agg.change_note as n order by n.note_id',
  $$
    values
      (null::text[], '{-infinity}'::timestamptz[], '{infinity}'::timestamptz[]),
      ('{ACME}', '{-infinity}', '{2025-07-02 00:00+00}')
  $$,
  'agg_add_change_note() writes every symbol, and a range without bounds, for nulls'
);

delete from agg.change_note as n;
select throws_ok(
  $$ select public.agg_add_change_note(array['ACME'], '2025-07-01 00:00+00', '2025-07-01 00:00+00') $$,
  '22023', null, 'agg_add_change_note() refuses an empty range'
);
select throws_ok(
  $$ select public.agg_add_change_note(array['ACME'], '2025-07-02 00:00+00', '2025-07-01 00:00+00') $$,
  '22023', null, 'agg_add_change_note() refuses a range that ends before it begins'
);
select throws_ok(
  $$ select public.agg_add_change_note(null, 'infinity') $$, '22023', null, 'agg_add_change_note() refuses a range beyond all time'
);
select throws_ok(
  $$ select public.agg_add_change_note(array[]::text[]) $$, '22023', null, 'agg_add_change_note() refuses a list of no symbols'
);
select throws_ok(
  $$ select public.agg_add_change_note(array['ACME', null]) $$, '22023', null, 'agg_add_change_note() refuses a null among the symbols'
);
select is_empty('select n.note_id from agg.change_note as n', 'agg_add_change_note() writes no note that it refuses');

select * from finish();
rollback;
