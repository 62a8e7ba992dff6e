begin;
select plan(4);

create function pg_temp.fx(p_from timestamptz, p_to timestamptz) returns tstzmultirange
language sql as $$
  select agg.open_spans('America/New_York', agg.session_minutes('"fx"'), 'FX', p_from, p_to)
$$;
select is(
  pg_temp.fx('2025-12-22 00:00Z', '2026-01-03 00:00Z'),
  '{[2025-12-22 00:00Z,2025-12-24 22:00Z),[2025-12-25 22:00Z,2025-12-31 22:00Z),[2026-01-01 22:00Z,2026-01-02 22:00Z)}'
    ::tstzmultirange - '{[2025-12-26 22:00Z,2025-12-28 22:00Z)}',
  '25 December and 1 January are closed from 17:00 of the day before to 17:00 New York'
);
select is(
  pg_temp.fx('2026-12-24 00:00Z', '2026-12-29 00:00Z'),
  '{[2026-12-24 00:00Z,2026-12-24 22:00Z),[2026-12-27 22:00Z,2026-12-29 00:00Z)}',
  'a holiday on a Friday leaves the market closed up to Sunday'
);
select is(
  pg_temp.fx('2028-12-29 00:00Z', '2029-01-03 00:00Z'),
  '{[2028-12-29 00:00Z,2028-12-29 22:00Z),[2029-01-01 22:00Z,2029-01-03 00:00Z)}',
  'one on a Monday takes Sunday evening along'
);
select results_eq(
  $$ select to_char(d.day, 'MM-DD'), d.kind, count(*), min(d.day), max(d.day) from agg.calendar_day as d where d.calendar = 'FX' group by 1, 2 order by 1 $$,
  $$ values ('01-01', 'closed', 28::bigint, date '2001-01-01', date '2038-01-01') , ('12-25', 'closed', 29, '2000-12-25', '2040-12-25') $$,
  'FX knows no other days'
);

select * from finish();
rollback;
