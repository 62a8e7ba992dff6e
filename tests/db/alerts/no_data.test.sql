begin;
select plan(27);

-- Friday 4 July 2025 is a holiday of XNYS, and the day before ends at 13:00 (17:00 UTC). Monday opens at 13:30 UTC.
call tests.clear();
call tests.add_asset('STOCK', '{"start_utc": "2025-06-19T00:00:00Z", "session": "us_equity", "calendar": "XNYS"}');
call tests.add_asset('COIN', '{"start_utc": "2025-06-26T00:00:00Z"}');
create procedure pg_temp.add_open_minutes(p_from timestamptz, p_to timestamptz)
language sql as $$
  insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
  select 'STOCK', m.ts_utc, 1, 1, 1, 1
  from public.data_agg_state as s
  cross join unnest(agg.open_spans(s.session_time_zone, s.session_minutes, s.calendar, p_from, p_to)) as o (span)
  cross join generate_series(lower(o.span), upper(o.span) - interval '1 minute', interval '1 minute') as m (ts_utc)
  where s.canonical_symbol = 'STOCK' and s.timeframe = '5m'
    and m.ts_utc not between timestamptz '2025-06-20 15:00+00' and '2025-06-20 15:19+00';
$$;
create function pg_temp.maintain(p_now timestamptz) returns text
language plpgsql as $$
begin
  perform public.agg_run_due(p_now => p_now);
  perform agg.measure_silence(p_now);
  perform agg.refresh_alerts(p_now, null, true);
  return coalesce((
    select string_agg(concat_ws(' ', a.kind, a.canonical_symbol, a.timeframe, a.severity), ', ' order by a.kind, a.canonical_symbol, a.timeframe)
    from agg.alert as a
    where a.resolved_at is null
  ), 'none');
end;
$$;
create function pg_temp.allowed(p_symbol text) returns interval
language sql as $$ select a.silence from agg.allowed_silence as a where a.canonical_symbol = p_symbol $$;

select is(pg_temp.maintain('2025-06-20 00:00+00'), 'none', 'series that never had a bar are not silent');
call pg_temp.add_open_minutes('2025-06-19 00:00+00', '2025-07-05 00:00+00');
call tests.add_minutes('COIN', '2025-06-26 00:00+00', '2025-06-28 10:00+00');
call tests.add_minutes('COIN', '2025-06-28 10:45+00', '2025-07-07 12:00+00');
call tests.run('2025-07-03 17:00+00');

select is(pg_temp.maintain('2025-07-03 17:00+00'), 'none', 'a market that has closed is not silent');
select is(pg_temp.allowed('STOCK'), interval '20 minutes', 'a series may be silent for its own longest gap in open time, which a weekend is not');
select is(pg_temp.allowed('COIN'), interval '45 minutes', 'whatever that is');
select is_empty(
  $$
    select g.at_utc, g.alerts
    from (
      select t.at_utc, pg_temp.maintain(t.at_utc) as alerts
      from generate_series(timestamptz '2025-07-03 18:00+00', '2025-07-07 11:00+00', interval '5 hours') as t (at_utc)
      offset 0
    ) as g
    where g.alerts <> 'none'
  $$,
  'no alert over a holiday and a weekend'
);
select is(pg_temp.maintain('2025-07-07 12:45+00'), 'none', 'silent for as long as it may be');
select is(pg_temp.maintain('2025-07-07 12:46+00'), 'no_data COIN 1m warning', 'a minute later an alert is raised');
select is(pg_temp.maintain('2025-07-07 13:50+00'), 'no_data COIN 1m critical', 'twice as long is critical, and a market that has just opened may be silent');
select is(
  pg_temp.maintain('2025-07-07 13:51+00'), 'no_data COIN 1m critical, no_data STOCK 1m warning', 'not for longer than it ever was: minutes in which it was closed do not count'
);
select results_eq(
  $$ select a.raised_at, a.message from agg.alert as a where a.canonical_symbol = 'COIN' $$,
  $$
    values (
      timestamptz '2025-07-07 12:46+00', 'the last 1m bar is that of 2025-07-07 11:59:00+00; silent for 01:51:00 of open time, longer than 00:45:00'
    )
  $$,
  'it is raised once, and its message follows'
);
select is(agg.refresh_alerts('2025-07-07 13:51+00', null, true), 0, 'nothing is raised twice');
do $$ begin perform agg.refresh_alerts('2025-07-07 14:00+00'); end; $$;
select is(
  (select count(*) from agg.alert as a where a.resolved_at is null), 2::bigint, 'the call of a dispatcher leaves the alert alone'
);
select matches(
  (select string_agg(concat_ws(' ', c.status, c.subject), '; ' order by c.subject) from public.agg_check('2025-07-07 13:51+00') as c where c."check" = 'alerts'),
  'FAIL no_data COIN 1m; WARN no_data STOCK 1m', 'agg_check() lists it by its severity'
);

call tests.add_minute('STOCK', '2025-07-07 13:51+00');
select is(pg_temp.maintain('2025-07-07 13:55+00'), 'no_data COIN 1m critical', 'the first bar resolves it');
call tests.add_minute('COIN', '2025-07-07 13:56+00');
select is(pg_temp.maintain('2025-07-07 14:00+00'), 'none', 'and that of the other one too');
call tests.add_minute('STOCK', '2025-07-08 15:00+00');
call tests.add_minute('COIN', '2025-07-08 15:00+00');
select is(pg_temp.maintain('2025-07-08 15:01+00'), 'none', 'a day later both are measured again');
select is(pg_temp.allowed('COIN'), interval '1 day 01:03:00', 'a gap without a critical alert counts, and one with it does not');

call tests.set_metadata('COIN', '{agg,max_silence}', '"2 hours"');
select is(pg_temp.maintain('2025-07-08 17:01+00'), 'none', 'metadata.agg.max_silence replaces what is measured');
select is(pg_temp.maintain('2025-07-08 17:02+00'), 'no_data COIN 1m warning', 'here two hours');
update public.data_agg_state as s
set failing_since_utc = '2025-07-08 16:00+00', fail_streak = 1, last_error = 'broken', next_run_at = 'infinity'
where s.canonical_symbol = 'COIN' and s.timeframe = '5m';
select is(pg_temp.maintain('2025-07-08 17:03+00'), 'failing COIN 5m critical', 'one alert for one trouble');
update public.core_asset_registry_all as r set active = false where r.canonical_symbol in ('COIN', 'STOCK');
select is(pg_temp.maintain('2025-07-08 17:05+00'), 'none', 'an asset that is switched off has none');

call tests.add_basket('PAIR', '{"LEFT": 1, "RIGHT": 1}');
call tests.add_minutes('LEFT', '2025-07-08 17:00+00', '2025-07-08 18:00+00');
call tests.add_minutes('RIGHT', '2025-07-08 17:00+00', '2025-07-08 18:10+00');
select is(pg_temp.maintain('2025-07-08 18:10+00'), 'none', 'a series that is new');
select is(
  pg_temp.maintain('2025-07-11 18:01+00'), 'no_data LEFT 1m warning', 'may be silent for three days; of a basket the component is named, and not the basket'
);

call tests.add_asset('SLOW', '{"session": "us_equity", "max_silence": "1 week"}');
call tests.add_minutes('SLOW', '2025-07-11 18:00+00', '2025-07-11 18:01+00');
select is(
  pg_temp.maintain('2025-09-09 18:00+00'), 'no_data LEFT 1m critical, no_data RIGHT 1m critical, no_data SLOW 1m warning',
  'a silence that is longer than the open time of five weeks'
);
select is(
  (select a.message from agg.alert as a where a.canonical_symbol = 'SLOW'),
  'the last 1m bar is that of 2025-07-11 18:00:00+00; silent for ' || (select n.silence from agg.silent_series('2025-09-09 18:00+00') as n where n.canonical_symbol = 'SLOW') || ' of open time, longer than 7 days',
  'and how long it is'
);

select throws_ok(
  $$ call tests.add_asset('BAD', '{"max_silence": "long"}') $$, '22023',
  'metadata of BAD: agg.max_silence must be a length of time such as "30 minutes" (minutes, hours, days, weeks), not "long"', 'max_silence is checked'
);
select throws_ok($$ call tests.add_asset('BAD', '{"max_silence": 5}') $$, '22023', null, 'whatever its type');

select * from finish();
rollback;
