begin;
select plan(9);

create function pg_temp.bar(p_minute integer, p_changes jsonb default '{}') returns jsonb
language sql as $$
  select jsonb_build_object(
    'canonical_symbol', 'ACME', 'ts_utc', format('2026-01-02T10:%s:00Z', lpad(p_minute::text, 2, '0')),
    'open', 1, 'high', 2, 'low', 1, 'close', 1.5
  ) || p_changes;
$$;

select is(
  public.upsert_bars(jsonb_build_array(
    pg_temp.bar(0, '{"vol": 7, "vwap": 1.25, "trade_count": 3, "is_partial": true, "source": "massive_api", "raw": {"a": 1}}'), pg_temp.bar(1)
  )),
  '{"success": true, "inserted": 2, "updated": 0, "unchanged": 0, "superseded": 0, "refused": [], "unregistered": ["ACME"]}',
  'new bars are inserted'
);
select results_eq(
  $$
    select b.timeframe, b.open, b.high, b.low, b.close, b.vol, b.vwap, b.trade_count, b.is_partial, b.source, b.raw
    from public.data_bars as b order by b.ts_utc
  $$,
  $$
    values
      ('1m', 1::float8, 2::float8, 1::float8, 1.5::float8, 7::float8, 1.25::float8, 3::bigint, true, 'massive_api', '{"a": 1}'::jsonb),
      ('1m', 1, 2, 1, 1.5, null, null, null, false, 'ingest', '{}')
  $$,
  'what is given is stored, and what is not given is unknown'
);
create temporary table before on commit drop as select b.ctid as version from public.data_bars as b;
select is(
  public.upsert_bars(jsonb_build_array(
    pg_temp.bar(0, '{"vol": 7, "vwap": 1.25, "trade_count": 3, "is_partial": true, "source": "massive_api", "raw": {"a": 1}}'), pg_temp.bar(1)
  )),
  '{"success": true, "inserted": 0, "updated": 0, "unchanged": 2, "superseded": 0, "refused": [], "unregistered": ["ACME"]}',
  'the same bars again are unchanged'
);
select set_eq('select b.ctid as version from public.data_bars as b', 'select v.version from before as v', 'an unchanged bar is not written');
select is(
  public.upsert_bars(jsonb_build_array(pg_temp.bar(0))) - 'refused' - 'unregistered',
  '{"success": true, "inserted": 0, "updated": 1, "unchanged": 0, "superseded": 0}',
  'a bar that differs is updated'
);
select is(
  (select row(b.vol, b.vwap, b.trade_count, b.is_partial, b.source, b.raw)::text from public.data_bars as b where b.ts_utc = '2026-01-02 10:00+00'),
  '(,,,f,ingest,{})',
  'a bar is replaced as a whole'
);
select is(
  public.upsert_bars(jsonb_build_array(
    pg_temp.bar(2, '{"close": 1}'), pg_temp.bar(2, '{"ts_utc": "2026-01-02T12:02:00+02:00", "close": 2}'), pg_temp.bar(2, '{"close": -1}')
  )) #- '{refused,0,problem}' #- '{unregistered}',
  '{"success": true, "inserted": 1, "updated": 0, "unchanged": 0, "superseded": 1, "refused": [
    {"index": 2, "canonical_symbol": "ACME", "ts_utc": "2026-01-02T10:02:00Z", "code": "23514", "constraint": "data_bars_low_covers"}
  ]}',
  'of bars with one key the last good one is stored'
);
select is((select b.close from public.data_bars as b where b.ts_utc = '2026-01-02 10:02+00'), 2::float8, 'it is the last good one');
select is(
  public.upsert_bars('[]'),
  '{"success": true, "inserted": 0, "updated": 0, "unchanged": 0, "superseded": 0, "refused": [], "unregistered": []}',
  'an empty array is accepted'
);

select * from finish();
rollback;
