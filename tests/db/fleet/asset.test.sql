begin;
select plan(5);

call tests.clear();
call tests.add_asset('ACME', '{"optional": ["1d"]}');
call tests.add_asset('BETA');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 03:00+00');
call tests.add_minutes('BETA', '2025-07-01 00:00+00', '2025-07-01 03:00+00');
call tests.run('2025-07-01 03:06+00');
call tests.run('2025-07-01 03:16+00');
update public.data_agg_state as s set updated_at = '2025-07-01 00:00+00';

select results_eq(
  $$ select a.timeframe, a.is_mandatory, a.state, a.words, a.attention, a.lag, a.decided_to_utc from public.agg_asset('ACME', '2025-07-01 03:16+00') as a $$,
  $$ values
    ('1m', false, null, 'arrives', 0, null::interval, timestamptz '2025-07-01 03:00+00'),
    ('5m', true, 'waiting_for_data', 'waits for data', 1, '6 minutes', '2025-07-01 03:00+00'),
    ('1h', true, 'current', 'up to date', 0, '0', '2025-07-01 03:00+00'),
    ('1d', false, 'current', 'up to date', 0, '0', '2025-07-01 00:00+00')
  $$,
  'agg_asset() says how the tasks of one asset stand, and up to when minutes are there'
);
select results_eq(
  $$ select a.timeframe, a.state, a.lag, a.due_for, a.next_run_at, a.explanation from public.agg_asset('ACME', '2025-07-01 03:16+00') as a where a.state is not null $$,
  $$
    select h.timeframe, h.state, h.lag, h.due_for, h.next_run_at, h.explanation
    from public.agg_health('2025-07-01 03:16+00') as h
    where h.canonical_symbol = 'ACME'
  $$,
  'as agg_health() does'
);
insert into agg.alert (kind, canonical_symbol, timeframe, severity, message, raised_at)
values ('no_data', 'ACME', '1m', 'critical', 'silent', '2025-07-01 03:10+00'), ('no_data', 'BETA', '1m', 'warning', 'other', '2025-07-01 03:10+00');
select results_eq(
  $$ select a.attention, a.explanation ~ '; silent$' from public.agg_asset('ACME', '2025-07-01 03:16+00') as a where a.timeframe = '1m' $$,
  $$ values (3, true) $$, 'an open alert counts, and is told'
);
select is_empty($$ select * from public.agg_asset('NONE', '2025-07-01 03:16+00') $$, 'an unknown symbol has no row');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values ('NEW', '2025-07-01 00:00+00', 1, 1, 1, 1);
select results_eq(
  $$ select a.timeframe, a.state, a.words from public.agg_asset('NEW', '2025-07-01 03:16+00') as a $$,
  $$ values ('1m', 'unregistered', 'not registered') $$, 'one that only has bars says that it is not registered'
);

select * from finish();
rollback;
