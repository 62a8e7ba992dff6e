begin;
select plan(10);

call tests.add_asset('ACME', '{"start_utc": "2025-07-01T01:00:00Z"}');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 04:00+00');

create function pg_temp.outcome(p_result jsonb) returns text
language sql as $$ select coalesce(p_result ->> 'reason', 'stored') $$;

select is(
  pg_temp.outcome(public.aggregate_1m_to_5m_window('ACME', '2025-07-01 00:55+00', '2025-07-01 01:00+00')), 'before_agg_start_utc',
  'aggregate_1m_to_5m_window() builds nothing before agg_start_utc'
);
select is(
  pg_temp.outcome(public.aggregate_5m_to_1h_window('ACME', '2025-07-01 00:00+00', '2025-07-01 01:00+00')), 'before_agg_start_utc',
  'aggregate_5m_to_1h_window() builds nothing before agg_start_utc'
);
select is(
  pg_temp.outcome(public.aggregate_1m_to_5m_window('ACME', '2025-07-01 01:00+00', '2025-07-01 01:05+00', p_now => '2025-07-01 01:09:59+00')),
  'frontier',
  'aggregate_1m_to_5m_window() does not decide a window one second before end + 300 s'
);
select is(
  pg_temp.outcome(public.aggregate_1m_to_5m_window('ACME', '2025-07-01 01:00+00', '2025-07-01 01:05+00', p_now => '2025-07-01 01:10:00+00')),
  'stored',
  'aggregate_1m_to_5m_window() decides a window at end + 300 s'
);

update public.data_agg_state as s set aggregation_delay_seconds = 42 where s.canonical_symbol = 'ACME';
select results_eq(
  $$
    select pg_temp.outcome(public.aggregate_1m_to_5m_window('ACME', '2025-07-01 01:05+00', '2025-07-01 01:10+00', p_now => t.now_utc))
    from (values (timestamptz '2025-07-01 01:10:41+00'), ('2025-07-01 01:10:42+00')) as t (now_utc)
    order by t.now_utc
  $$,
  $$ values ('frontier'), ('stored') $$,
  'aggregate_1m_to_5m_window() follows the delay of the task, to the second'
);
update public.data_agg_state as s set aggregation_delay_seconds = 300 where s.canonical_symbol = 'ACME';

create function pg_temp.advance_5m(p_now timestamptz) returns timestamptz
language sql as $$ select (tests.work('ACME', '5m', p_now) ->> 'new_cursor')::timestamptz $$;
create function pg_temp.hour_at(p_now timestamptz) returns text
language sql as $$
  select pg_temp.outcome(public.aggregate_5m_to_1h_window('ACME', '2025-07-01 01:00+00', '2025-07-01 02:00+00', p_now => p_now))
$$;

select is(
  pg_temp.advance_5m('2025-07-01 02:04:59+00'), timestamptz '2025-07-01 01:50+00',
  'the 5m task is one window short of the hour'
);
select is(
  pg_temp.hour_at('2025-07-01 03:00+00'), 'frontier',
  'aggregate_5m_to_1h_window() does not outrun its source, late as it is'
);
select is(
  pg_temp.advance_5m('2025-07-01 02:05:00+00'), timestamptz '2025-07-01 01:55+00',
  'the 5m task has decided the whole hour'
);
select is(
  pg_temp.hour_at('2025-07-01 02:04:59+00'), 'frontier',
  'aggregate_5m_to_1h_window() does not outrun the clock, complete as its source is'
);
select is(
  pg_temp.hour_at('2025-07-01 02:05:00+00'), 'stored',
  'aggregate_5m_to_1h_window() decides the hour once both its source and the clock are there'
);

select * from finish();
rollback;
