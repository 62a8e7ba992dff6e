begin;
select plan(8);

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

-- Together with other windows, of an asset that has no bars yet.
call tests.clear();
call tests.add_asset('DAYS', '{"optional": ["1d"]}');
call tests.add_asset('WEEKS', '{"optional": ["1w"]}');
select lives_ok(
  $$ call tests.set_metadata('DAYS', '{agg}', '{"optional": ["1d"], "start_utc": "2020-01-01T00:00:00Z", "day_close": {"time": "17:00", "time_zone": "America/New_York"}}') $$,
  'an earlier start and other days'
);
select lives_ok(
  $$ call tests.set_metadata('WEEKS', '{agg}', '{"optional": ["1w"], "start_utc": "2020-01-01T00:00:00Z", "session": "fx"}') $$,
  'an earlier start and other weeks'
);
select results_eq(
  $$ select s.last_agg_bar_ts_utc from public.data_agg_state as s where s.timeframe in ('1d', '1w') order by s.timeframe $$,
  $$ values (timestamptz '2019-12-31 22:00+00'), ('2019-12-29 00:00+00') $$, 'begin at the first window of the new start'
);

-- Moved ahead with another session, and back before anything was decided from there.
call tests.clear();
call tests.add_asset('A', '{"start_utc": "2026-03-05T00:00:00Z"}');
call tests.add_basket('X', '{"A": 1}', p_metadata => '{"agg": {"start_utc": "2026-03-05T00:00:00Z"}}');
call tests.add_minutes('A', '2026-03-05 00:00+00', '2026-03-06 03:20+00', p_without => array[timestamptz '2026-03-06 03:16+00']);
call tests.run('2026-03-06 03:21+00');
call tests.run('2026-03-06 04:58+00');
call tests.set_metadata('X', '{agg}', '{"start_utc": "2026-03-06T06:00:00Z", "session": {"time_zone": "Asia/Kolkata", "weekly": [
  {"open": "Mon 09:15", "close": "Mon 15:30"}, {"open": "Thu 22:00", "close": "Fri 03:07"}, {"open": "Sat 00:00", "close": "Sun 12:00"}
]}}');
call tests.run('2026-03-06 05:33+00');
call tests.set_metadata('X', '{agg,start_utc}', '"2026-03-05T22:53:00Z"');
call tests.add_minutes('A', '2026-03-06 05:33+00', '2026-03-06 05:51+00');
call tests.run('2026-03-06 05:53+00');
call tests.run('2026-03-06 06:03+00');
call tests.run('2026-03-06 16:03+00');
select is_empty(
  $$
    select d.ts_utc from public.derived_data_bars as d
    where d.canonical_symbol = 'X' and d.deleted_at is null and d.ts_utc >= '2026-03-05 23:00+00' and d.ts_utc < '2026-03-06 12:00+00'
  $$,
  'no bar of closed hours is left'
);
select is_empty('select * from public.agg_verify()', 'all bars are right');

select * from finish();
rollback;
