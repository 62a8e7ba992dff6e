begin;
select plan(10);

call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:20+00');

create function pg_temp.look(p_timeframe text, p_until_utc timestamptz, p_stop boolean default true) returns text
language sql as $$
  select concat_ws(' ', to_char((c.r ->> 'new_cursor')::timestamptz at time zone 'UTC', 'HH24:MI'), c.r ->> 'stopped_reason')
  from public.catchup_aggregation_range('ACME', p_timeframe, p_until_utc => p_until_utc, p_stop_on_zero_source => p_stop) as c (r)
$$;

select results_eq(
  $$
    select pg_temp.look('5m', t.now_utc)
    from (values (timestamptz '2025-07-01 00:09:59+00'), ('2025-07-01 00:10:00+00'), ('2025-07-01 00:14:59+00'), ('2025-07-01 00:15:00+00'))
      as t (now_utc)
    order by t.now_utc
  $$,
  $$ values ('23:55 cursor_at_frontier'), ('00:00 frontier'), ('00:00 frontier'), ('00:05 frontier') $$,
  'catchup_aggregation_range() stops at the time frontier, to the second'
);
select is(pg_temp.look('5m', '2025-07-01 00:25+00'), '00:15 frontier', 'catchup_aggregation_range() says frontier where both frontiers meet');
select is(pg_temp.look('5m', '2025-07-01 06:00+00'), '00:15 no_source_data', 'catchup_aggregation_range() stops at the data frontier');
select is(
  pg_temp.look('5m', '2025-07-01 06:00+00', false), '05:50 frontier',
  'catchup_aggregation_range() decides empty windows up to the time frontier with p_stop_on_zero_source false'
);

call tests.add_minute('ACME', '2025-07-01 06:00+00');
call tests.add_minute('ACME', '2035-07-01 00:00+00');
select is(
  pg_temp.look('5m', '2025-07-01 06:00+00'), '00:15 no_source_data',
  'catchup_aggregation_range() decides no window for bars stamped at or after the clock'
);
select is(
  pg_temp.look('5m', '2025-07-01 06:01+00'), '05:50 frontier',
  'catchup_aggregation_range() steps over the gap once a bar behind the clock ends it'
);
select is(
  pg_temp.look('5m', '2025-07-01 06:10+00'), '06:00 frontier',
  'catchup_aggregation_range() decides a window with a single bar and goes on'
);

create function pg_temp.advance_5m(p_now timestamptz) returns timestamptz
language sql as $$ select (tests.work('ACME', '5m', p_now) ->> 'new_cursor')::timestamptz $$;

-- Minutes without a gap; the hour is tried at every minute, with a clock that is a day ahead.
call tests.add_minutes('ACME', '2025-07-01 00:20+00', '2025-07-01 06:00+00');
create temporary table watch as
select t.now_utc, pg_temp.advance_5m(t.now_utc) as source_cursor, pg_temp.look('1h', t.now_utc + interval '1 day') as dependent
from generate_series(timestamptz '2025-07-01 00:00+00', timestamptz '2025-07-01 03:05+00', interval '1 minute') as t (now_utc);
select is_empty(
  $$
    select w.now_utc
    from watch as w
    where ('2025-07-01 ' || left(w.dependent, 5) || '+00')::timestamptz + interval '1 hour' > w.source_cursor + interval '5 minutes'
      and w.dependent !~ '^23:00'
  $$,
  'catchup_aggregation_range() never outruns the source task, minute by minute'
);
select results_eq(
  $$ select w.dependent, min(w.source_cursor) from watch as w group by 1 order by 2, 1 $$,
  $$
    values
      ('23:00 cursor_at_frontier', timestamptz '2025-06-30 23:55+00'), ('00:00 frontier', '2025-07-01 00:55+00'),
      ('01:00 frontier', '2025-07-01 01:55+00'), ('02:00 frontier', '2025-07-01 02:55+00')
  $$,
  'catchup_aggregation_range() decides an hour as soon as its source has'
);
do $$ begin perform pg_temp.advance_5m('2025-07-01 06:00+00'); end; $$;
select is(
  pg_temp.look('1h', '2025-07-01 03:30+00'), '02:00 frontier',
  'catchup_aggregation_range() stops a dependent at its own time frontier too'
);

select * from finish();
rollback;
