begin;
select plan(27);

call tests.clear();
call tests.add_asset('ACME', '{"start_utc": "2025-06-30T00:00:00Z"}');
call tests.add_asset('LATE');
call tests.add_asset('MARKET', '{"session": {"time_zone": "UTC", "weekly": [{"open": "Mon 08:02", "close": "Fri 16:00"}]}, "calendar": "XNYS", "start_utc": "2025-06-30T00:00:00Z"}');
call tests.add_asset('IDLE', '{"optional": ["15m"]}');
update public.core_asset_registry_all as r set active = false where r.canonical_symbol = 'IDLE';
call tests.add_basket('PAIR', '{"ONE": 1, "TWO": 1}');
call tests.add_asset('ONE');
call tests.add_asset('TWO');

call tests.add_minutes(
  'ACME', '2025-07-01 00:00+00', '2025-07-01 01:00+00', 2, 3, 10,
  array[timestamptz '2025-07-01 00:06+00', '2025-07-01 00:11+00', '2025-07-01 00:12+00', '2025-07-01 00:13+00', '2025-07-01 00:15+00', '2025-07-01 00:16+00',
    '2025-07-01 00:17+00', '2025-07-01 00:18+00', '2025-07-01 00:19+00']
);
update public.data_bars as b set is_partial = true where b.ts_utc = '2025-07-01 00:08+00';
call tests.add_minutes('MARKET', '2025-06-30 08:00+00', '2025-06-30 08:05+00');
call tests.add_minutes('MARKET', '2025-07-07 08:00+00', '2025-07-07 08:05+00');
call tests.add_minutes('ONE', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
call tests.add_minutes('TWO', '2025-07-01 00:00+00', '2025-07-01 00:42+00', p_without => array[timestamptz '2025-07-01 00:02+00', '2025-07-01 00:03+00']);
call tests.run('2025-07-01 01:05:30+00');

-- The rows of items, as text.
create function pg_temp.explain(
  p_symbol text, p_timeframe text, p_ts timestamptz, p_items text[] default array['window', 'state', 'why', 'minutes', 'missing', 'late', 'partial', 'market', 'component', 'changed', 'waits'],
  p_now timestamptz default '2025-07-01 01:05:30+00'
)
returns text language sql as $$
  select string_agg(e.item || ': ' || e.value, E'\n' order by e.no)
  from public.agg_explain(p_symbol, p_timeframe, p_ts, p_now) with ordinality as e (item, value, no)
  where e.item = any (p_items)
$$;

select is(
  pg_temp.explain('ACME', '5m', '2025-07-01 00:03:20+00'),
  E'window: 2025-07-01 00:00:00+00 to 2025-07-01 00:05:00+00\nstate: bar\nminutes: 5 of 5, quality 2 (excellent: every minute)',
  'a bar with every minute'
);
select matches(pg_temp.explain('ACME', '5m', '2025-07-01 00:00+00', array['built']), '^built: first at 20', 'says when it was built first');
select is(
  pg_temp.explain('ACME', '5m', '2025-07-01 00:05+00', array['state', 'minutes', 'missing', 'partial']),
  E'state: bar\nminutes: 4 of 5, quality 1 (good: at least 80 %)\nmissing: 2025-07-01 00:06\npartial: 2025-07-01 00:08',
  'a bar says which minutes are missing and which are partial'
);
select is(
  pg_temp.explain('ACME', '5m', '2025-07-01 00:10+00', array['state', 'why', 'minutes', 'missing']),
  E'state: no bar\nwhy: its minutes are too few: 2 of 5 are 40 %, and 60 % are needed (metadata.agg.quality)\n'
    'minutes: 2 of 5\nmissing: 2025-07-01 00:11 to 00:13 (3)',
  'too few minutes'
);
select is(
  pg_temp.explain('ACME', '5m', '2025-07-01 00:15+00', array['state', 'why', 'missing']),
  E'state: no bar\nwhy: it is a gap: none of its minutes has a bar\nmissing: 2025-07-01 00:15 to 00:19 (5)', 'a gap'
);
select is(
  pg_temp.explain('ACME', '1h', '2025-07-01 00:15+00', array['minutes', 'missing']),
  E'minutes: 51 of 60, quality 1 (good: at least 80 %)\nmissing: 2025-07-01 00:06, 2025-07-01 00:11 to 00:13 (3), 2025-07-01 00:15 to 00:19 (5)',
  'an hour says which minutes are missing'
);
select is(
  pg_temp.explain('ACME', '5m', '2025-06-29 00:00+00', array['state', 'why']),
  E'state: no bar\nwhy: it lies before 2025-06-30 00:00:00+00, the start of aggregation (metadata.agg.start_utc)', 'before the start'
);
select is(pg_temp.explain('NONE', '5m', '2025-07-01 00:00+00', array['state', 'why']),
  E'state: not registered\nwhy: core_asset_registry_all has no NONE: nothing is built of its bars', 'an unknown symbol');
select is(pg_temp.explain('ACME', '4h', '2025-07-01 00:00+00', array['state', 'why']),
  E'state: not built\nwhy: the asset has no 4h task: metadata.agg does not ask for it, or the asset has never been active', 'a timeframe without a task');

-- The market.
select is(
  pg_temp.explain('MARKET', '5m', '2025-06-30 08:00+00', array['state', 'minutes', 'market']),
  E'state: bar\nminutes: 3 of 3, quality 2 (excellent: every minute)\nmarket: closed from 2025-06-30 08:00:00+00 to 2025-06-30 08:02:00+00',
  'a window in which the market opens'
);
call tests.run('2025-07-07 09:00+00');
select is(
  pg_temp.explain('MARKET', '5m', '2025-07-04 10:00+00', array['state', 'why', 'market'], '2025-07-07 09:00+00'),
  E'state: no bar\nwhy: the market is closed in all of it\nmarket: closed from 2025-07-04 10:00:00+00 to 2025-07-04 10:05:00+00\nmarket: calendar XNYS: 2025-07-04 is closed',
  'a holiday'
);
select is(
  pg_temp.explain('MARKET', '5m', '2025-07-05 10:00+00', array['why', 'market'], '2025-07-07 09:00+00'),
  E'why: the market is closed in all of it\nmarket: closed from 2025-07-05 10:00:00+00 to 2025-07-05 10:05:00+00', 'a weekend'
);

-- Minutes.
select is(pg_temp.explain('ACME', '1m', '2025-07-01 00:08:30+00', array['state', 'partial']), E'state: bar\npartial: 2025-07-01 00:08', 'a minute');
select is(pg_temp.explain('ACME', '1m', '2025-07-01 00:06+00', array['state', 'why']), E'state: no bar\nwhy: it has no bar: none has arrived, or it was deleted', 'a minute that is missing');
select is(pg_temp.explain('ACME', '1m', '2025-07-02 00:06+00', array['state', 'why']), E'state: not decided\nwhy: the minute has not ended', 'a minute to come');
select is(pg_temp.explain('MARKET', '1m', '2025-07-05 10:00+00', array['state', 'why'], '2025-07-07 09:00+00'),
  E'state: no bar\nwhy: the market is closed in this minute', 'a minute outside the session');
select is(
  pg_temp.explain('PAIR', '1m', '2025-07-01 00:02+00', array['state', 'why', 'component']),
  E'state: no bar\nwhy: it is computed only where every component has a bar\ncomponent: TWO lacks 1 of 1 minutes: 2025-07-01 00:02', 'a minute of a basket'
);

-- Baskets.
select is(
  pg_temp.explain('PAIR', '5m', '2025-07-01 00:00+00', array['state', 'minutes', 'component']),
  E'state: bar\nminutes: 3 of 5, quality 0 (poor: at least 60 %)\ncomponent: TWO lacks 2 of 5 minutes: 2025-07-01 00:02 to 00:03 (2)',
  'a bar of a basket names the components that lack minutes'
);
select is(
  pg_temp.explain('PAIR', '5m', '2025-07-01 00:45+00', array['state', 'component']),
  E'state: not decided\ncomponent: TWO lacks 5 of 5 minutes: 2025-07-01 00:45 to 00:49 (5)\n'
    'component: TWO holds the basket back: its last bar is at 2025-07-01 00:41:00+00',
  'a basket that waits names the component that holds it back'
);
select is(
  (select h.explanation ~ '; TWO holds the basket back: its last bar is at 2025-07-01 00:41:00\+00$' from public.agg_health('2025-07-01 01:05:30+00') as h where h.canonical_symbol = 'PAIR' and h.timeframe = '1m'),
  true, 'so does agg_health()'
);

-- What is not decided.
select is(
  pg_temp.explain('ACME', '5m', '2025-07-01 01:03+00', array['state', 'waits'], '2025-07-01 01:03+00'),
  E'state: not decided\nwaits: for 2025-07-01 01:10:00+00: its end, and the delay of 300 seconds', 'a window that has not ended'
);
select matches(
  pg_temp.explain('LATE', '5m', '2025-07-01 00:00+00', array['state', 'waits']),
  '^state: not decided\nwaits: the task has decided windows up to 2025-07-01 00:00:00\+00\nwaits: waiting_for_data: no source bar after', 'a window that waits for data'
);

-- Changes.
update public.derived_data_bars as d set created_at = now() - interval '1 hour', updated_at = now() - interval '1 hour';
call tests.add_minute('ACME', '2025-07-01 00:06+00', 9);
select is(
  pg_temp.explain('ACME', '5m', '2025-07-01 00:05+00', array['late', 'waits']),
  format(E'late: 2025-07-01 00:05 (at %1$s), 2025-07-01 00:06 (at %1$s), 2025-07-01 00:07 (at %1$s), 2025-07-01 00:08 (at %1$s), 2025-07-01 00:09 (at %1$s)\n'
    'waits: a change of its 1m bars waits to be built since %1$s', now() at time zone 'UTC' || '+00'),
  'a change that waits to be built, and minutes that came after the bar was built first'
);
call tests.run('2025-07-01 01:05:30+00');
select is(
  pg_temp.explain('ACME', '5m', '2025-07-01 00:05+00', array['changed', 'waits']),
  format('changed: %s: minutes arrived late; before that open 2, high 3, low 2, close 2, vol 40, 4 minutes', now() at time zone 'UTC' || '+00'),
  'a correction, with what the bar was'
);
update public.data_agg_state as s set is_mandatory = false where s.canonical_symbol = 'LATE' and s.timeframe = '1h';
call tests.fail_three_times('LATE', '1h', '2025-07-01 01:05+00');
select matches(
  pg_temp.explain('LATE', '1h', '2025-07-01 00:00+00', array['waits']), 'waits: disabled: disabled after 3 hard failures in a row: broken', 'a task that failed'
);
select throws_ok(
  $$ select public.agg_explain('ACME', '1h', 'infinity') $$, '22023', 'agg_explain needs a symbol, a timeframe and an instant, not ACME, 1h and infinity',
  'a time without end is refused'
);
select throws_ok(
  $$ select public.agg_explain('ACME', '7m', '2025-07-01') $$, '22023', 'agg_explain needs a symbol, a timeframe and an instant, not ACME, 7m and 2025-07-01 00:00:00+00',
  'an unknown timeframe is refused'
);

select * from finish();
rollback;
