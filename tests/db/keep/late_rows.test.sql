begin;
select plan(9);

call tests.clear();
call tests.add_asset('ACME', '{"keep": {"1m": "2 days"}}');
call tests.add_asset('OTHER');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-05 00:00+00');
call tests.add_minutes('OTHER', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
call tests.run('2025-07-05 00:05+00');
do $$ begin perform public.agg_maintain(p_now => '2025-07-05 00:10+00'); end; $$;
create function pg_temp.refusal() returns text
language sql as $$ select 'ACME keeps 1m bars from 2025-07-03 00:00 UTC on (metadata.agg.keep) and takes none before' $$;
create function pg_temp.bar(p_symbol text, p_ts_utc text) returns jsonb
language sql as $$
  select jsonb_build_object('canonical_symbol', p_symbol, 'ts_utc', p_ts_utc, 'open', 2, 'high', 2, 'low', 2, 'close', 2);
$$;

select throws_ok(
  $$ insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values ('ACME', '2025-06-30 12:00+00', 1, 1, 1, 1) $$,
  '23000', pg_temp.refusal(), 'an insert behind the floor is refused, and names symbol, floor and key'
);
select throws_ok(
  $$
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    select y.symbol, timestamptz '2025-06-30 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
    from unnest(array['ACME', 'OTHER']) as y (symbol)
    cross join generate_series(0, 999) as m (n)
  $$,
  '23000', pg_temp.refusal(), 'so is a large one'
);
select throws_ok(
  $$ update public.data_bars as b set vol = 1 where b.canonical_symbol = 'ACME' and b.ts_utc = '2025-07-01 00:00+00' $$,
  '23000', pg_temp.refusal(), 'so is an update of a bar that is about to be removed'
);
select throws_ok(
  $$ update public.data_bars as b set ts_utc = '2025-06-30 00:00+00' where b.canonical_symbol = 'ACME' and b.ts_utc = '2025-07-04 00:00+00' $$,
  '23000', pg_temp.refusal(), 'so is an update that moves a bar there'
);
select lives_ok(
  $$ insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values ('OTHER', '2025-06-30 12:00+00', 1, 1, 1, 1) $$,
  'another symbol takes such a bar'
);
select is(
  public.upsert_bars(jsonb_build_array(
    pg_temp.bar('ACME', '2025-07-02T23:59:00Z'), pg_temp.bar('ACME', '2025-07-03T00:00:00Z'), pg_temp.bar('OTHER', '2025-07-02T23:59:00Z')
  )) - 'success' - 'unchanged' - 'superseded' - 'unregistered',
  jsonb_build_object('inserted', 1, 'updated', 1, 'refused', jsonb_build_array(jsonb_build_object(
    'index', 0, 'canonical_symbol', 'ACME', 'ts_utc', '2025-07-02T23:59:00Z', 'code', '23000', 'constraint', 'data_bars_kept', 'problem', pg_temp.refusal()
  ))),
  'upsert_bars() refuses the bars behind the floor, and stores the others'
);
call tests.run('2025-07-05 00:15+00');
select is(
  (select d.open from public.derived_data_bars as d where d.canonical_symbol = 'ACME' and d.timeframe = '5m' and d.ts_utc = '2025-07-03 00:00+00'),
  2::double precision, 'a late bar at the floor is a correction as ever'
);
select lives_ok(
  $$ delete from public.data_bars as b where b.canonical_symbol = 'ACME' and b.ts_utc < '2025-07-02 00:00+00' $$,
  'bars behind the floor may be deleted by hand'
);
call tests.run('2025-07-05 00:20+00');
select is(
  (
    select count(*)
    from public.derived_data_bars as d
    where d.canonical_symbol = 'ACME' and d.ts_utc < '2025-07-02 00:00+00' and d.deleted_at is null
  ),
  312::bigint, 'and take no longer bar along'
);

select * from finish();
rollback;
