begin;
select plan(8);

-- History that was loaded before the start of an asset.
call tests.clear();
call tests.add_asset('ACME', '{"start_utc": "2025-07-03T00:00:00Z"}');
call tests.add_asset('OTHER', '{"start_utc": "2025-07-03T00:00:00Z"}');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-04 00:00+00');
call tests.run('2025-07-04 00:05+00');
do $$ begin perform public.agg_backfill(array['ACME'], null, '2025-07-02 06:00+00', p_now => '2025-07-04 00:05+00'); end; $$;
select results_eq(
  $$ select r.canonical_symbol, r.metadata -> 'agg' ->> 'start_utc' from public.core_asset_registry_all as r order by 1 $$,
  $$ values ('ACME', '2025-07-02T06:00:00+00:00'), ('OTHER', '2025-07-03T00:00:00Z') $$,
  'agg_backfill() moves the start of an asset back'
);
select results_eq(
  $$ select p.timeframe, p.is_backfill, p.from_utc, p.explanation from public.agg_pending() as p $$,
  $$
    values
      ('5m', true, timestamptz '2025-07-02 06:00+00', 'built when no task is due and no other correction waits'),
      ('1h', true, '2025-07-02 06:00+00', 'built when no task is due and no other correction waits')
  $$,
  'agg_pending() shows what is history'
);
call tests.run('2025-07-04 00:05+00');
create function pg_temp.first(p_timeframe text) returns timestamptz
language sql as $$
  select min(d.ts_utc) from public.derived_data_bars as d where d.canonical_symbol = 'ACME' and d.timeframe = p_timeframe and d.deleted_at is null
$$;
select is(pg_temp.first('5m'), timestamptz '2025-07-02 06:00+00', 'it is built from there on');
select is(pg_temp.first('1h'), timestamptz '2025-07-02 06:00+00', 'at every level');

-- A later beginning and a part of the timeframes.
select is(
  public.agg_backfill(array['ACME'], array['1h'], '2025-07-03 00:00+00', '2025-07-03 12:00+00', '2025-07-04 00:05+00'),
  '{"success": true, "tasks": 1, "windows": 12}', 'a range of one timeframe'
);
select is(
  (select r.metadata -> 'agg' ->> 'start_utc' from public.core_asset_registry_all as r where r.canonical_symbol = 'ACME'),
  '2025-07-02T06:00:00+00:00', 'moves no start on'
);
call tests.run('2025-07-04 00:05+00');

-- Behind a floor nothing is built.
call tests.set_metadata('ACME', '{agg,keep}', '{"1m": "1 day"}');
do $$ begin
  perform public.agg_maintain(p_now => '2025-07-04 00:10+00');
  perform public.agg_maintain(p_now => '2025-07-04 00:15+00');
end; $$;
select is(
  public.agg_backfill(array['ACME'], array['5m'], '2025-07-01 00:00+00', '2025-07-03 01:00+00', '2025-07-04 00:15+00') -> 'windows', '12',
  'agg_backfill() builds nothing behind a floor'
);
call tests.run('2025-07-04 00:15+00');
select is(pg_temp.first('5m'), timestamptz '2025-07-02 06:00+00', 'and the bars there stay');

select * from finish();
rollback;
