begin;
select plan(12);

call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 02:00+00');

select throws_ok(
  $$ select public.aggregate_1m_to_5m_window('ACME', '2025-07-01 00:01+00', '2025-07-01 00:06+00') $$, '22023', null,
  'aggregate_1m_to_5m_window() refuses a misaligned range'
);
select throws_ok(
  $$ select public.aggregate_1m_to_5m_window('ACME', '2025-07-01 00:00+00', '2025-07-01 00:10+00') $$, '22023', null,
  'aggregate_1m_to_5m_window() refuses two windows'
);
select throws_ok(
  $$ select public.aggregate_1m_to_5m_window('ACME', '2025-07-01 00:00+00', '2025-07-01 00:04+00') $$, '22023', null,
  'aggregate_1m_to_5m_window() refuses a part of a window'
);
select throws_ok(
  $$ select public.aggregate_1m_to_5m_window('ACME', '2025-07-01 00:05+00', '2025-07-01 00:00+00') $$, '22023', null,
  'aggregate_1m_to_5m_window() refuses a reversed range'
);
select throws_ok(
  $$ select public.aggregate_1m_to_5m_window('ACME', '2025-07-01 00:00+00', '2025-07-01 00:00+00') $$, '22023', null,
  'aggregate_1m_to_5m_window() refuses an empty range'
);
select throws_ok(
  format('select public.aggregate_window(''ACME'', ''1d'', %L)', i.instant), '22023',
  format('ACME 1d: %s is not the start of a window', i.instant), 'aggregate_window() refuses ' || i.instant
)
from unnest(array['infinity', '-infinity']) as i (instant);
select throws_ok(
  $$ select public.aggregate_1m_to_5m_window('ACME', null, '2025-07-01 00:05+00') $$, '22023', null,
  'aggregate_1m_to_5m_window() refuses a range without a start'
);
select throws_ok(
  $$ select public.aggregate_1m_to_5m_window('ACME', '2025-07-01 00:00+00', null) $$, '22023', null,
  'aggregate_1m_to_5m_window() refuses a range without an end'
);
select throws_ok(
  $$ select public.aggregate_1m_to_5m_window(null, '2025-07-01 00:00+00', '2025-07-01 00:05+00') $$, '22023', null,
  'aggregate_1m_to_5m_window() refuses a null symbol'
);

create function pg_temp.is_accepted(p_timeframe text, p_from_utc timestamptz, p_to_utc timestamptz) returns boolean
language plpgsql as $$
begin
  if p_timeframe = '5m' then
    perform public.aggregate_1m_to_5m_window('ACME', p_from_utc, p_to_utc);
  else
    perform public.aggregate_5m_to_1h_window('ACME', p_from_utc, p_to_utc);
  end if;
  return true;
exception when invalid_parameter_value then
  return false;
end;
$$;

create temporary table attempt as
select t.timeframe, t.seconds, f.start_second, l.length,
  pg_temp.is_accepted(
    t.timeframe,
    timestamptz '2025-07-01 00:00+00' + f.start_second * interval '1 second',
    timestamptz '2025-07-01 00:00+00' + (f.start_second + l.length) * interval '1 second'
  ) as is_accepted
from (values ('5m', 300), ('1h', 3600)) as t (timeframe, seconds)
cross join unnest(array[-3600, -300, -1, 0, 1, 60, 299, 300, 301, 1800, 3600]) as f (start_second)
cross join unnest(array[-3600, -300, 0, 1, 299, 300, 301, 600, 3300, 3599, 3600, 3601, 7200]) as l (length);

select results_eq(
  'select a.timeframe, a.start_second, a.length from attempt as a where a.is_accepted order by 1, 2, 3',
  $$
    select a.timeframe, a.start_second, a.length
    from attempt as a
    where a.length = a.seconds and a.start_second % a.seconds = 0
    order by 1, 2, 3
  $$,
  'the window functions accept exactly the ranges that are one aligned window, out of 286'
);
select cmp_ok(
  (select count(*) from attempt as a where a.is_accepted), '=', 9::bigint,
  'the window functions accept nine of the 286 ranges'
);

select * from finish();
rollback;
