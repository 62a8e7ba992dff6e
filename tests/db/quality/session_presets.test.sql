begin;
select plan(8);

create function pg_temp.weekly(p_days text[], p_open text, p_close text) returns jsonb
language sql as $$
  select jsonb_build_object(
    'time_zone', 'America/New_York',
    'weekly', jsonb_agg(jsonb_build_object('open', d.name || ' ' || p_open, 'close', d.name || ' ' || p_close))
  )
  from unnest(p_days) as d (name)
$$;
select is(
  agg.session_minutes('"us_equity"'), agg.session_minutes(pg_temp.weekly(array['Mon', 'Tue', 'Wed', 'Thu', 'Fri'], '09:30', '16:00')),
  'us_equity is Monday to Friday from 09:30 to 16:00'
);
select is(
  agg.session_minutes('"us_equity_extended"'), agg.session_minutes(pg_temp.weekly(array['Mon', 'Tue', 'Wed', 'Thu', 'Fri'], '04:00', '20:00')),
  'us_equity_extended is Monday to Friday from 04:00 to 20:00'
);
select is(
  agg.session_minutes('"fx"'), '{[0,6780),[9660,10080)}', 'fx is Sunday 17:00 to Friday 17:00'
);
select is(
  agg.session_minutes('"cme_globex"'),
  '{[0,960),[1020,2400),[2460,3840),[3900,5280),[5340,6720),[9660,10080)}',
  'cme_globex is Sunday 17:00 to Friday 16:00 with a break from 16:00 to 17:00 each day'
);
select results_eq(
  $$ select p.name, p.session ->> 'time_zone' from agg.session_preset as p order by 1 $$,
  $$
    values
      ('cme_globex', 'America/Chicago'), ('fx', 'America/New_York'), ('us_equity', 'America/New_York'),
      ('us_equity_extended', 'America/New_York')
  $$,
  'a preset has a time zone of its own'
);

call tests.clear();
call tests.add_asset('ES', '{"session": "cme_globex"}');
call tests.add_asset('ACME', '{"session": "us_equity"}');
call tests.add_asset('BTC', '{"session": "24x7"}');
select results_eq(
  $$
    select s.canonical_symbol, s.session_time_zone, s.session_minutes
    from public.data_agg_state as s
    where s.timeframe = '5m'
    order by 1
  $$,
  $$
    values
      ('ACME', 'America/New_York', agg.session_minutes('"us_equity"')), ('BTC', null, null),
      ('ES', 'America/Chicago', agg.session_minutes('"cme_globex"'))
  $$,
  'tasks of an asset have the zone and the minutes of its preset'
);
select throws_ok(
  $$ call tests.add_asset('BAD', '{"session": "us_equities"}') $$,
  '22023',
  'metadata of BAD: agg.session must be "24x7", "cme_globex", "fx", "us_equity", "us_equity_extended" or an object with time_zone and weekly, not "us_equities"',
  'a preset that is not known is refused'
);
select results_eq(
  $$
    select z.name, agg.is_time_zone(z.name)
    from unnest(array[
      'America/Argentina/Buenos_Aires', 'America/Port-au-Prince', 'Etc/GMT+5', 'UTC', 'Foo5', 'EST', 'UTC-5', 'IST', 'America/Nowhere', ''
    ]) with ordinality as z (name, n)
    order by z.n
  $$,
  $$
    values
      ('America/Argentina/Buenos_Aires', true), ('America/Port-au-Prince', true), ('Etc/GMT+5', true), ('UTC', true), ('Foo5', false),
      ('EST', false), ('UTC-5', false), ('IST', false), ('America/Nowhere', false), ('', false)
  $$,
  'is_time_zone() takes names of the IANA database alone'
);

select * from finish();
rollback;
