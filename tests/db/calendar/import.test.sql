begin;
select plan(27);

select is(
  public.import_calendar(
    'XTST',
    '[{"day": "2025-07-04", "kind": "closed"}, {"day": "2025-07-03", "kind": "early_close", "closes_at": "13:00"},
      {"day": "2025-07-07", "kind": "late_opening", "opens_at": "10:30"},
      {"day": "2025-07-04", "kind": "special_opening", "opens_at": "18:00", "closes_at": "19:15"}]',
    'America/New_York'
  ),
  '{"success": true, "calendar": "XTST", "time_zone": "America/New_York", "day_start": "00:00", "days": 4, "added": 4, "removed": 0,
    "unchanged": 0, "tasks": 0}',
  'import_calendar() makes a calendar'
);
select results_eq(
  $$ select d.day, d.kind, d.opens_at, d.closes_at from agg.calendar_day as d where d.calendar = 'XTST' order by 1, 2 $$,
  $$
    values
      (date '2025-07-03', 'early_close', null::time, time '13:00'), ('2025-07-04', 'closed', null, null),
      ('2025-07-04', 'special_opening', '18:00', '19:15'), ('2025-07-07', 'late_opening', '10:30', null)
  $$,
  'with its days'
);
select is(
  public.import_calendar('XTST', '[{"day": "2025-07-03", "kind": "early_close", "closes_at": "12:30"}, {"day": "2025-07-04", "kind": "closed"}]') - 'success',
  '{"calendar": "XTST", "time_zone": "America/New_York", "day_start": "00:00", "days": 2, "added": 1, "removed": 3, "unchanged": 1, "tasks": 0}',
  'another import replaces them, and keeps the zone'
);
select is(
  public.import_calendar('XTST', '[{"day": "2025-07-04", "kind": "closed"}, {"day": "2025-07-03", "kind": "early_close", "closes_at": "12:30"}]')
    - array['success', 'calendar', 'time_zone', 'day_start', 'days'],
  '{"added": 0, "removed": 0, "unchanged": 2, "tasks": 0}',
  'repeating it changes nothing'
);
select is(
  public.import_calendar('XTST', '[]', 'Asia/Tokyo', '17:00') - 'success',
  '{"calendar": "XTST", "time_zone": "Asia/Tokyo", "day_start": "17:00", "days": 0, "added": 0, "removed": 2, "unchanged": 0, "tasks": 0}',
  'a list without days empties it, and zone and beginning of the day may change'
);

-- What cannot be.
create function pg_temp.refusal(p_days jsonb, p_day_start time default null) returns text
language plpgsql as $$
begin
  perform public.import_calendar('XBAD', p_days, 'UTC', p_day_start);
  return 'accepted';
exception when invalid_parameter_value then
  return sqlerrm;
end;
$$;
select results_eq(
  $$
    select pg_temp.refusal(c.days)
    from (
      values
        (1, jsonb '{}'), (2, null), (3, '["2025-07-04"]'), (4, '[{"day": "2025-07-04", "kind": "closed", "name": "Fourth"}]'),
        (5, '[{"day": "2025-07-04", "kind": "closed"}, {"day": "2025-02-29", "kind": "closed"}]'), (6, '[{"day": "4 July", "kind": "closed"}]'),
        (7, '[{"day": "1825-07-04", "kind": "closed"}]'), (8, '[{"kind": "closed"}]'), (9, '[{"day": "2025-07-04"}]'),
        (10, '[{"day": "2025-07-04", "kind": "half"}]')
    ) as c (n, days)
    order by c.n
  $$,
  array[
    'p_days must be a list such as [{"day": "2026-12-25", "kind": "closed"}], not {}',
    'p_days must be a list such as [{"day": "2026-12-25", "kind": "closed"}], not null',
    'p_days: entry 1, "2025-07-04": an entry is an object such as {"day": "2026-12-25", "kind": "closed"}',
    'p_days: entry 1, {"day": "2025-07-04", "kind": "closed", "name": "Fourth"}: name is not known; known are day, kind, opens_at, closes_at',
    'p_days: entry 2, {"day": "2025-02-29", "kind": "closed"}: day must be a date such as "2026-12-25", from 1900 to 2199',
    'p_days: entry 1, {"day": "4 July", "kind": "closed"}: day must be a date such as "2026-12-25", from 1900 to 2199',
    'p_days: entry 1, {"day": "1825-07-04", "kind": "closed"}: day must be a date such as "2026-12-25", from 1900 to 2199',
    'p_days: entry 1, {"kind": "closed"}: day must be a date such as "2026-12-25", from 1900 to 2199',
    'p_days: entry 1, {"day": "2025-07-04"}: kind must be closed, early_close, late_opening or special_opening',
    'p_days: entry 1, {"day": "2025-07-04", "kind": "half"}: kind must be closed, early_close, late_opening or special_opening'
  ],
  'an entry that cannot be read is refused and named'
);
select results_eq(
  $$
    select regexp_replace(pg_temp.refusal(jsonb_build_array('{"day": "2025-07-04"}'::jsonb || c.entry), c.day_start), '^p_days: entry 1, .*}: ', '')
    from (
      values
        (1, jsonb '{"kind": "closed", "closes_at": "13:00"}', time '00:00'), (2, '{"kind": "early_close"}', '00:00'),
        (3, '{"kind": "early_close", "closes_at": "1 pm"}', '00:00'), (4, '{"kind": "early_close", "closes_at": "13:00", "opens_at": "09:30"}', '00:00'),
        (5, '{"kind": "late_opening", "closes_at": "13:00"}', '00:00'), (6, '{"kind": "late_opening", "opens_at": "24:00"}', '00:00'),
        (7, '{"kind": "late_opening", "opens_at": "00:00"}', '00:00'), (8, '{"kind": "early_close", "closes_at": "24:00"}', '00:00'),
        (9, '{"kind": "early_close", "closes_at": "17:00"}', '17:00'), (10, '{"kind": "special_opening", "opens_at": "10:00", "closes_at": "09:00"}', '00:00'),
        (11, '{"kind": "special_opening", "opens_at": "16:00", "closes_at": "18:00"}', '17:00'),
        (12, '{"kind": "special_opening", "opens_at": "18:00", "closes_at": "02:00"}', '17:00'),
        (13, '{"kind": "special_opening", "opens_at": "18:00", "closes_at": "17:00"}', '17:00'),
        (14, '{"kind": "special_opening", "opens_at": "00:00", "closes_at": "24:00"}', '00:00'),
        (15, '{"kind": "early_close", "closes_at": "24:00"}', '17:00')
    ) as c (n, entry, day_start)
    order by c.n
  $$,
  array[
    'closes_at does not go with closed', 'early_close needs closes_at, a local time such as "13:00"',
    'early_close needs closes_at, a local time such as "13:00"', 'opens_at does not go with early_close',
    'late_opening needs opens_at, a local time such as "10:30"', 'late_opening needs opens_at, a local time such as "10:30"',
    'the trading day begins at 00:00, so that nothing opens late', 'the trading day ends at 24:00, so that nothing closes early',
    'the trading day ends at 17:00, so that nothing closes early',
    'within the trading day, which begins at 00:00, closes_at must come after opens_at',
    'within the trading day, which begins at 17:00, closes_at must come after opens_at',
    'accepted', 'accepted', 'accepted', 'accepted'
  ],
  'so are times that do not go with the kind or with the trading day'
);
select results_eq(
  $$
    select pg_temp.refusal(c.days)
    from (
      values
        (1, jsonb '[{"day": "2025-07-04", "kind": "closed"}, {"day": "2025-07-05", "kind": "closed"}, {"day": "2025-07-04", "kind": "closed"}]'),
        (2, '[{"day": "2025-07-04", "kind": "early_close", "closes_at": "13:00"}, {"day": "2025-07-04", "kind": "early_close", "closes_at": "14:00"}]'),
        (3, '[{"day": "2025-07-04", "kind": "early_close", "closes_at": "13:00"}, {"day": "2025-07-04", "kind": "closed"}]'),
        (4, '[{"day": "2025-07-04", "kind": "early_close", "closes_at": "13:00"}, {"day": "2025-07-04", "kind": "late_opening", "opens_at": "13:00"}]'),
        (5, '[{"day": "2025-07-04", "kind": "early_close", "closes_at": "13:00"}, {"day": "2025-07-04", "kind": "late_opening", "opens_at": "10:00"}]'),
        (6, '[{"day": "2025-07-04", "kind": "special_opening", "opens_at": "13:00", "closes_at": "14:00"},
              {"day": "2025-07-04", "kind": "special_opening", "opens_at": "15:00", "closes_at": "16:00"}]')
    ) as c (n, days)
    order by c.n
  $$,
  array[
    'p_days: entries 1 and 3, of 2025-07-04: closed and closed cannot be on one day',
    'p_days: entries 1 and 2, of 2025-07-04: early_close and early_close cannot be on one day',
    'p_days: entries 1 and 2, of 2025-07-04: closed and early_close cannot be on one day',
    'p_days: entries 1 and 2, of 2025-07-04: early_close and late_opening cannot be on one day',
    'accepted', 'accepted'
  ],
  'so are entries that contradict each other'
);
select throws_ok(
  $$ select public.import_calendar('XNEW', '[]') $$, '22023',
  'p_time_zone must name the time zone of the calendar, such as America/New_York, not null', 'a new calendar needs a zone'
);
select throws_ok(
  $$ select public.import_calendar('XNEW', '[]', 'EST') $$, '22023',
  'p_time_zone must name the time zone of the calendar, such as America/New_York, not ''EST''', 'of the IANA database'
);
select throws_ok(
  $$ select public.import_calendar('my calendar', '[]', 'UTC') $$, '22023',
  'p_name must be a letter, then up to 63 letters, digits, _ . or -, not ''my calendar''', 'a name without spaces'
);
select throws_ok($$ select public.import_calendar(null, '[]', 'UTC') $$, '22023', null, 'that is not null');
select throws_ok(
  $$ select public.import_calendar('XNEW', '[]', 'UTC', '24:00') $$, '22023',
  'p_day_start must be a whole minute from 00:00 to 23:59, not 24:00:00', 'and a day that begins within a day'
);
select is_empty($$ select from agg.calendar as c where c.name = 'XNEW' $$, 'nothing of what is refused is stored');
select is_empty(
  $$ select c.name, c.day_start from agg.calendar as c where c.name in ('XNYS', 'FX') and c.time_zone <> 'America/New_York' $$,
  'the calendars of the installation stay as they are'
);

-- Corrections: a stock whose bars of 3 July 2025 were built by the whole session.
call tests.clear();
do $$ begin perform public.import_calendar('XTST', '[{"day": "2025-12-25", "kind": "closed"}]', 'America/New_York', '00:00'); end; $$;
call tests.add_asset('ACME', '{"session": "us_equity", "calendar": "XTST"}');
call tests.add_asset('OTHER', '{"session": "us_equity"}');
call tests.add_asset('ALWAYS', '{"calendar": "XTST"}');
select results_eq(
  $$ select s.canonical_symbol, s.timeframe, s.calendar from public.data_agg_state as s order by 1, 2 $$,
  $$
    values
      ('ACME', '1h', 'XTST'), ('ACME', '5m', 'XTST'), ('ALWAYS', '1h', 'XTST'), ('ALWAYS', '5m', 'XTST'), ('OTHER', '1h', null), ('OTHER', '5m', null)
  $$,
  'tasks have the calendar of their asset'
);
call tests.add_minutes('ACME', '2025-07-02 13:30Z', '2025-07-02 20:00Z');
call tests.add_minutes('ACME', '2025-07-03 13:30Z', '2025-07-03 20:00Z');
call tests.add_minutes('ALWAYS', '2025-07-03 13:30Z', '2025-07-03 20:00Z');
call tests.add_minutes('OTHER', '2025-07-03 13:30Z', '2025-07-03 20:00Z');
call tests.run('2025-07-03 21:00Z');
create temporary table result as select public.import_calendar(
  'XTST', '[{"day": "2025-12-25", "kind": "closed"}, {"day": "2025-07-03", "kind": "early_close", "closes_at": "13:00"}]'
) as result;
select is(
  (select r.result - array['success', 'calendar', 'time_zone', 'day_start', 'days'] from result as r),
  '{"added": 1, "removed": 0, "unchanged": 1, "tasks": 4}', 'a day that has passed concerns the tasks that use the calendar'
);
select results_eq(
  $$ select c.canonical_symbol, c.timeframe, c.spans from agg.correction as c order by 1, 2 $$,
  $$
    values
      ('ACME', '1h', tstzmultirange '{[2025-07-03 17:00Z,2025-07-03 20:00Z)}'), ('ACME', '5m', '{[2025-07-03 17:00Z,2025-07-03 20:00Z)}'),
      ('ALWAYS', '1h', '{[2025-07-03 17:00Z,2025-07-03 20:00Z)}'), ('ALWAYS', '5m', '{[2025-07-03 17:00Z,2025-07-03 20:00Z)}')
  $$,
  'what it closes is to be built again, and no more'
);
select is(
  public.import_calendar(
    'XTST', '[{"day": "2025-12-25", "kind": "closed"}, {"day": "2025-07-03", "kind": "early_close", "closes_at": "13:00"}, {"day": "2025-11-28", "kind": "early_close", "closes_at": "13:00"}]'
  ) -> 'tasks',
  '0', 'a day that is still to come concerns no task'
);
select is((select count(*) from agg.correction), 4::bigint, 'and adds no correction');

-- The same through the registry.
truncate agg.correction;
update public.core_asset_registry_all as r set metadata = jsonb_set(r.metadata, '{agg,calendar}', '"XTST"') where r.canonical_symbol = 'OTHER';
select results_eq(
  $$ select c.canonical_symbol, c.timeframe, c.spans from agg.correction as c order by 1, 2 $$,
  $$ values ('OTHER', '1h', tstzmultirange '{[2025-07-03 17:00Z,2025-07-03 20:00Z)}'), ('OTHER', '5m', '{[2025-07-03 17:00Z,2025-07-03 20:00Z)}') $$,
  'another calendar of an asset is a correction of what it opens or closes'
);
truncate agg.correction;
update public.core_asset_registry_all as r set metadata = jsonb_set(r.metadata, '{agg,session}', '"us_equity_extended"') where r.canonical_symbol = 'ACME';
select results_eq(
  $$ select c.timeframe, c.spans from agg.correction as c order by 1 $$,
  $$
    select t.timeframe, agg.open_spans('America/New_York', agg.session_minutes('"us_equity_extended"'), 'XTST', '2025-07-01 00:00Z', t.decided_to_utc)
      - agg.open_spans('America/New_York', agg.session_minutes('"us_equity"'), 'XTST', '2025-07-01 00:00Z', t.decided_to_utc)
    from agg.task as t
    where t.canonical_symbol = 'ACME'
    order by 1
  $$,
  'another session too'
);
select is_empty(
  $$ select from agg.correction as c where c.spans && '{[2025-07-03 17:00Z,2025-07-03 20:00Z)}' $$, 'with the calendar of the asset in both'
);

-- A session of every day for half a year: a hundred and more changes.
select results_eq(
  $$
    select agg.changed_hours(
      agg.open_spans(z.name, agg.session_minutes('"us_equity"'), null, '2025-01-01 00:00Z', w.to_utc),
      agg.open_spans(z.name, agg.session_minutes('"us_equity_extended"'), null, '2025-01-01 00:00Z', w.to_utc)
    )
    from (values (timestamptz '2025-01-04 00:00Z'), ('2025-06-07 00:00Z')) as w (to_utc)
    cross join (values ('America/New_York')) as z (name)
    order by w.to_utc
  $$,
  $$
    values
      (tstzmultirange '{[2025-01-01 00:00Z,2025-01-01 01:00Z),[2025-01-01 09:00Z,2025-01-01 14:30Z),[2025-01-01 21:00Z,2025-01-02 01:00Z),[2025-01-02 09:00Z,2025-01-02 14:30Z),[2025-01-02 21:00Z,2025-01-03 01:00Z),[2025-01-03 09:00Z,2025-01-03 14:30Z),[2025-01-03 21:00Z,2025-01-04 00:00Z)}'),
      ('{[2025-01-01 00:00Z,2025-06-07 00:00Z)}')
  $$,
  'few changes are kept apart, many become one'
);
select is(
  agg.changed_hours(
    (select range_agg(tstzrange(d.ts_utc, d.ts_utc + interval '1 hour')) from generate_series(timestamptz '2020-01-01 00:00Z', '2025-01-01 00:00Z', interval '240 hours') as d (ts_utc)),
    '{}'
  ),
  (select range_agg(tstzrange(d.ts_utc, d.ts_utc + interval '1 hour')) from generate_series(timestamptz '2020-01-01 00:00Z', '2025-01-01 00:00Z', interval '240 hours') as d (ts_utc)),
  'but for those that are a week apart'
);
select throws_ok(
  $$ call tests.set_metadata('ACME', '{agg,calendar}', '"NYSE"') $$, '22023', 'metadata of ACME: agg.calendar must be the name of a calendar out of FX, XBAD, XNYS, XTST, not "NYSE"',
  'a calendar that is not there is refused'
);
select throws_ok(
  $$ call tests.set_metadata('ACME', '{agg,calendar}', 'null') $$, '22023', 'metadata of ACME: agg.calendar must be the name of a calendar out of FX, XBAD, XNYS, XTST, not null',
  'so is null'
);

select * from finish();
rollback;
