begin;
select plan(3);

-- The former start lies within an hour, which has no bar before.
call tests.clear();
call tests.add_asset('ACME', '{"start_utc": "2025-07-02T00:30:00Z"}');
call tests.add_minutes('ACME', '2025-07-01 22:00+00', '2025-07-02 03:00+00');
call tests.run('2025-07-02 04:00+00');
update public.core_asset_registry_all as r
set metadata = jsonb_set(r.metadata, '{agg,start_utc}', '"2025-07-01T22:00:00Z"')
where r.canonical_symbol = 'ACME';
select results_eq(
  'select k.timeframe, k.spans from agg.correction as k order by k.timeframe',
  $$
    values ('1h', '{(,"2025-07-02 00:30+00")}'::tstzmultirange), ('5m', '{(,"2025-07-02 00:30+00")}')
  $$,
  'an earlier start has built what lies before the former one'
);
call tests.run('2025-07-02 04:00+00');
select results_eq(
  $$
    select d.timeframe, min(d.ts_utc), count(*)
    from public.derived_data_bars as d
    where d.canonical_symbol = 'ACME' and d.deleted_at is null
    group by d.timeframe
    order by d.timeframe
  $$,
  $$ values ('1h', timestamptz '2025-07-01 22:00+00', 5::bigint), ('5m', '2025-07-01 22:00+00', 60) $$,
  'with the hour in which that lies'
);
select is_empty('select * from public.agg_verify()', 'and nothing else differs');

select * from finish();
rollback;
