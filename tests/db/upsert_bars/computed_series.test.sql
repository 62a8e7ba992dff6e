begin;
select plan(12);

create function pg_temp.bar(p_symbol text) returns jsonb
language sql as $$
  select jsonb_build_object('canonical_symbol', p_symbol, 'ts_utc', '2026-01-02T10:00:00Z', 'open', 1, 'high', 1, 'low', 1, 'close', 1);
$$;
create function pg_temp.refusal() returns text
language sql as $$ select 'DXY is computed from other series (metadata.is_synthetic) and takes no bars from outside'; $$;

select is(
  public.upsert_bars(jsonb_build_array(pg_temp.bar('EURUSD'), pg_temp.bar('DXY'), pg_temp.bar('USDJPY'))),
  jsonb_build_object(
    'success', true, 'inserted', 2, 'updated', 0, 'unchanged', 0, 'superseded', 0, 'unregistered', '["EURUSD", "USDJPY"]'::jsonb,
    'refused', jsonb_build_array(jsonb_build_object(
      'index', 1, 'canonical_symbol', 'DXY', 'ts_utc', '2026-01-02T10:00:00Z', 'code', '23000', 'constraint', 'data_bars_not_computed', 'problem', pg_temp.refusal()
    ))
  ),
  'upsert_bars() refuses bars of a computed series and stores the others'
);
select throws_ok(
  $$
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    values ('ACME', '2026-01-02 10:00+00', 1, 1, 1, 1), ('DXY', '2026-01-02 10:00+00', 1, 1, 1, 1)
  $$,
  '23000', pg_temp.refusal(), 'an insert of such a bar is refused'
);
select throws_ok(
  $$ update public.data_bars as b set canonical_symbol = 'DXY' where b.canonical_symbol = 'EURUSD' $$,
  '23000', pg_temp.refusal(), 'an update that moves a bar to such a series is refused'
);
select throws_ok(
  $$
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    select 'DXY', timestamptz '2026-01-02 10:00+00' + m.n * interval '1 minute', 1, 1, 1, 1 from generate_series(0, 1999) as m (n)
  $$,
  '23000', pg_temp.refusal(), 'so is a large insert'
);
select is_empty($$ select b.ts_utc from public.data_bars as b where b.canonical_symbol = 'DXY' $$, 'no such bar is stored');

insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select c.symbol, timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from unnest(array['EURUSD', 'USDJPY', 'GBPUSD', 'USDCAD', 'USDSEK', 'USDCHF']) as c (symbol)
cross join generate_series(0, 59) as m (n);
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 03:00+00'); end; $$;
select is(
  (select count(*) from public.data_bars as b where b.canonical_symbol = 'DXY'), 60::bigint, 'the builder writes the series'
);
select throws_ok(
  $$ update public.data_bars as b set vol = 7 where b.canonical_symbol = 'DXY' $$, '23000', pg_temp.refusal(),
  'an update of its bars is refused'
);
select throws_ok(
  $$
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values ('DXY', '2025-07-01 00:00+00', 1, 1, 1, 1)
    on conflict (canonical_symbol, timeframe, ts_utc) do update set vol = 7
  $$,
  '23000', pg_temp.refusal(), 'so is an upsert'
);
select lives_ok(
  $$ delete from public.data_bars as b where b.canonical_symbol = 'DXY' and b.ts_utc < '2025-07-01 00:10+00' $$, 'bars may be deleted'
);
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 03:00+00'); end; $$;
select is(
  (select count(*) from public.data_bars as b where b.canonical_symbol = 'DXY'), 60::bigint, 'and are computed again'
);

update public.core_asset_registry_all as r set metadata = r.metadata || '{"is_synthetic": false}' where r.canonical_symbol = 'DXY';
select lives_ok(
  $$ update public.data_bars as b set vol = 7 where b.canonical_symbol = 'DXY' $$, 'what the registry does not call computed is free'
);
select is(
  public.upsert_bars(jsonb_build_array(pg_temp.bar('DXY'))) - 'success' - 'updated' - 'unchanged' - 'superseded',
  '{"inserted": 1, "refused": [], "unregistered": []}', 'at every door'
);

select * from finish();
rollback;
