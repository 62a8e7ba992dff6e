begin;
select plan(9);

call tests.clear();
call tests.add_asset('ACME', '{"optional": ["1d"]}');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-03 00:00+00');
delete from public.data_bars as d where d.ts_utc >= '2025-07-02 12:00+00' and d.ts_utc < '2025-07-02 12:05+00';
call tests.run('2025-07-03 00:10+00');
select results_eq(
  $$ select m.r -> 'slices_audited', m.r -> 'windows_wrong' from public.agg_maintain(p_now => '2025-07-03 00:10+00') as m (r) $$,
  $$ values ('2'::jsonb, '0'::jsonb) $$,
  'agg_maintain() verifies two days of history, a day at a time, and finds nothing wrong'
);
create temporary table before as
select d.canonical_symbol, d.timeframe, d.ts_utc, d.high, d.covered_minutes, d.quality_score, d.deleted_at from public.derived_data_bars as d;

-- Behind the engine's back: no trigger leaves a note.
set local session_replication_role = replica;
update public.derived_data_bars as d set high = 9 where d.timeframe = '5m' and d.ts_utc = '2025-07-01 10:00+00';
delete from public.derived_data_bars as d where d.timeframe = '1h' and d.ts_utc = '2025-07-02 10:00+00';
insert into public.derived_data_bars (
  canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe, source_candles, expected_candles, covered_minutes,
  expected_minutes, quality_score
)
values ('ACME', '5m', '2025-06-30 23:55+00', 1, 1, 1, 1, '1m', 5, 5, 5, 5, 2), ('ACME', '5m', '2025-07-02 12:00+00', 1, 1, 1, 1, '1m', 5, 5, 5, 5, 2);
set local session_replication_role = origin;

select is(
  public.agg_maintain(p_now => '2025-07-03 00:15+00') -> 'slices_audited', '0', 'a round over an asset begins at most once an hour'
);
select is(
  public.agg_maintain(p_now => '2025-07-03 01:10+00') -> 'windows_wrong', '6',
  'the next round finds bars that were changed, deleted or inserted, and those made of them'
);
select results_eq(
  $$
    select a.canonical_symbol, a.timeframe, m.line
    from agg.alert as a
    cross join lateral regexp_split_to_table(a.message, '\n') with ordinality as m (line, line_no)
    where a.kind = 'wrong' and a.resolved_at is null
    order by a.timeframe, m.line_no
  $$,
  $$
    select 'ACME', v.timeframe, format(
      'at 2025-07-03 01:10:00+00 the audit found %s; the next run builds them again', v.found
    )
    from (
      values
        (1, '1d', '1 wrong windows in [2025-07-02 00:00:00+00, 2025-07-03 00:00:00+00): 0 missing, 1 different, 0 stale'),
        (2, '1h', '1 wrong windows in [2025-07-01 10:00:00+00, 2025-07-01 11:00:00+00): 0 missing, 1 different, 0 stale'),
        (3, '1h', '2 wrong windows in [2025-07-02 10:00:00+00, 2025-07-02 13:00:00+00): 1 missing, 1 different, 0 stale'),
        (4, '5m', '1 wrong windows in [2025-07-01 10:00:00+00, 2025-07-01 10:05:00+00): 0 missing, 1 different, 0 stale'),
        (5, '5m', '1 wrong windows in [2025-07-02 12:00:00+00, 2025-07-02 12:05:00+00): 0 missing, 0 different, 1 stale')
    ) as v (row_no, timeframe, found)
    order by v.row_no
  $$,
  'it raises an alert for each task, which says what each slice found'
);
select is(
  (select c.status from public.agg_check('2025-07-03 01:10+00') as c where c."check" = 'alerts' and c.subject = 'wrong ACME 5m'),
  'WARN', 'agg_check() lists the alert'
);
call tests.run('2025-07-03 01:10+00');
select results_eq(
  $$
    select d.canonical_symbol, d.timeframe, d.ts_utc, d.high, d.covered_minutes, d.quality_score, d.deleted_at
    from public.derived_data_bars as d
    where d.deleted_at is null and d.ts_utc >= '2025-07-01 00:00+00'
    order by d.timeframe, d.ts_utc
  $$,
  'select b.* from before as b order by b.timeframe, b.ts_utc',
  'the next run builds them again'
);
select is_empty('select v.ts_utc from public.agg_verify() as v', 'and agg_verify() lists nothing');

select is(public.agg_maintain(p_now => '2025-07-03 02:10+00') -> 'windows_wrong', '0', 'the round after that finds nothing');
select is_empty(
  $$ select a.timeframe from agg.alert as a where a.kind = 'wrong' and a.resolved_at is null $$, 'and resolves the alerts'
);

select * from finish();
rollback;
