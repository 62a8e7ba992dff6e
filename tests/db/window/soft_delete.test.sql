begin;
select plan(9);

insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', m.n + 1, m.n + 1, m.n + 1, m.n + 1
from generate_series(0, 14) as m (n);

create function pg_temp.build(p_from_utc timestamptz) returns jsonb
language sql as $$ select public.aggregate_1m_to_5m_window('ACME', p_from_utc, p_from_utc + interval '5 minutes') $$;

select is(
  (select count(*) from generate_series(0, 2) as w (n)
    where (pg_temp.build(timestamptz '2025-07-01 00:00+00' + w.n * interval '5 minutes') -> 'stored')::boolean),
  3::bigint, 'three windows are stored'
);

delete from public.data_bars as b where b.ts_utc in ('2025-07-01 00:05+00', '2025-07-01 00:06+00', '2025-07-01 00:07+00');
select is(
  pg_temp.build('2025-07-01 00:05+00'),
  '{"success": true, "stored": false, "source_count": 2, "reason": "insufficient_source_bars"}',
  'aggregate_1m_to_5m_window() says that the window no longer qualifies'
);
select results_eq(
  'select d.ts_utc, d.deleted_at is not null from public.derived_data_bars as d order by d.ts_utc',
  $$
    values
      (timestamptz '2025-07-01 00:00+00', false), (timestamptz '2025-07-01 00:05+00', true), (timestamptz '2025-07-01 00:10+00', false)
  $$,
  'build_windows() soft-deletes the bar that no longer qualifies and no neighbour'
);
create temporary table deleted as
select d.ctid as place from public.derived_data_bars as d where d.ts_utc = '2025-07-01 00:05+00';
select is((pg_temp.build('2025-07-01 00:05+00') -> 'stored')::boolean, false, 'the window still does not qualify');
select results_eq(
  $$ select d.ctid from public.derived_data_bars as d where d.ts_utc = '2025-07-01 00:05+00' order by 1 $$,
  'select b.place from deleted as b order by 1',
  'build_windows() does not delete a bar twice'
);

call tests.add_minute('ACME', '2025-07-01 00:07+00', 90);
select is(
  pg_temp.build('2025-07-01 00:05+00'), '{"success": true, "stored": true, "source_count": 3, "quality_score": 0}',
  'aggregate_1m_to_5m_window() stores the window again once it qualifies'
);
select results_eq(
  $$
    select d.open, d.high, d.close, d.source_candles, d.deleted_at
    from public.derived_data_bars as d
    where d.ts_utc = '2025-07-01 00:05+00'
    order by d.ts_utc
  $$,
  'values (90::double precision, 90::double precision, 10::double precision, 3, null::timestamptz)',
  'build_windows() revives the bar with what its source holds now'
);

delete from public.data_bars as b where b.ts_utc between '2025-07-01 00:00+00' and '2025-07-01 00:04+00';
select is(
  pg_temp.build('2025-07-01 00:00+00'),
  '{"success": true, "stored": false, "source_count": 0, "reason": "insufficient_source_bars"}',
  'aggregate_1m_to_5m_window() finds no source bar in an emptied window'
);
select results_eq(
  'select d.ts_utc from public.derived_data_bars as d where d.deleted_at is null order by d.ts_utc',
  $$ values (timestamptz '2025-07-01 00:05+00'), (timestamptz '2025-07-01 00:10+00') $$,
  'build_windows() soft-deletes the bar of a window that lost all its source bars'
);

select * from finish();
rollback;
