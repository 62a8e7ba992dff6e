begin;
select plan(14);

call tests.clear();
call tests.add_realtime();
call tests.add_asset('ACME', '{"optional": ["1d"]}');
call tests.add_asset('OTHER');
do $$ begin perform public.enable_broadcast(array['5m', '1h']); end; $$;
-- The messages since the last call, one line each: topic, revision, what it holds.
create temporary table had (id uuid primary key);
create function pg_temp.sent() returns setof text
language sql as $$
  with fresh as (
    insert into had (id) select m.id from realtime.messages as m where m.id not in (select h.id from had as h) returning id
  )
  select format('%s %s', m.topic, m.payload ->> 'revision') || ' ' || (
    select string_agg(format('%s %s%s', b.bar ->> 0, left(right(b.bar ->> 1, 9), 5), case when jsonb_array_length(b.bar) = 2 then ' gone' else '=' || (b.bar ->> 5) end), ', ' order by b.place)
    from jsonb_array_elements(m.payload -> 'bars') with ordinality as b (bar, place)
  )
  from realtime.messages as m
  join fresh as f on f.id = m.id
  order by m.topic desc, (m.payload ->> 'revision')::bigint
$$;

call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:15+00', 1);
call tests.add_minutes('OTHER', '2025-07-01 00:00+00', '2025-07-01 00:05+00', 3);
call tests.run('2025-07-01 00:20+00');
select is((select count(*) from realtime.messages), 0::bigint, 'nothing is sent while bars are built');
select is(agg.send_broadcasts(), 1, 'agg.send_broadcasts() sends a message a timeframe');
select results_eq('select * from pg_temp.sent()', $$ values ('bars:5m 1 ACME 00:00=1, ACME 00:05=1, ACME 00:10=1, OTHER 00:00=3') $$, 'with the bars of all symbols');
select is(
  (select jsonb_build_object('event', m.event, 'private', m.private, 'bar', (m.payload #> '{bars,0}') - 13, 'columns', m.payload -> 'columns') from realtime.messages as m),
  '{
    "event": "bars", "private": true, "bar": ["ACME", "2025-07-01T00:00:00Z", 1, 1, 1, 1, null, null, null, 2, 5, 5, false],
    "columns": ["canonical_symbol", "ts_utc", "open", "high", "low", "close", "vol", "vwap", "trade_count", "quality_score",
      "covered_minutes", "expected_minutes", "is_partial", "updated_at"]
  }',
  'each an array of its columns'
);
select is(agg.send_broadcasts(), 0, 'a bar is sent once');

update public.data_bars as b set close = 2, high = 2 where b.canonical_symbol = 'ACME' and b.ts_utc = '2025-07-01 00:09+00';
update public.data_bars as b set vol = 7 where b.canonical_symbol = 'OTHER' and b.ts_utc = '2025-07-01 00:00+00';
call tests.run('2025-07-01 00:21+00');
update public.data_bars as b set vol = null where b.canonical_symbol = 'OTHER' and b.ts_utc = '2025-07-01 00:00+00';
call tests.run('2025-07-01 00:22+00');
do $$ begin perform agg.send_broadcasts(); end; $$;
select results_eq('select * from pg_temp.sent()', $$ values ('bars:5m 2 ACME 00:05=2, OTHER 00:00=3') $$, 'what is corrected goes out as it is in the end');

delete from public.data_bars as b where b.canonical_symbol = 'ACME' and b.ts_utc >= '2025-07-01 00:06+00' and b.ts_utc < '2025-07-01 00:10+00';
call tests.run('2025-07-01 00:23+00');
delete from public.derived_data_bars as d where d.canonical_symbol = 'OTHER';
do $$ begin perform agg.send_broadcasts(); end; $$;
select results_eq('select * from pg_temp.sent()', $$ values ('bars:5m 3 ACME 00:05 gone, OTHER 00:00 gone') $$, 'a bar that is gone says so');

update public.derived_data_bars as d set covered_minutes = 2 where d.canonical_symbol = 'ACME' and d.deleted_at is not null;
update public.derived_data_bars as d set raw = '{"a": 1}' where d.timeframe = '1d';
select is(agg.send_broadcasts(), 0, 'rows that are no bar, and other timeframes, are not sent');

call tests.add_minutes('ACME', '2025-07-01 00:15+00', '2025-07-01 02:00+00', 1);
call tests.run('2025-07-01 02:05+00');
select is(agg.send_broadcasts(p_max_bars => 20), 2, 'a run sends a message for each timeframe');
select results_eq(
  'select m.topic, m.payload -> ''revision'', m.payload -> ''reload'', m.payload ? ''bars'' from realtime.messages as m where m.payload ? ''reload''',
  $$ values ('bars:5m', to_jsonb(4), '[["ACME", "2025-07-01T00:15:00Z", "2025-07-01T01:55:00Z"]]'::jsonb, false) $$,
  'of more bars than p_max_bars it says only what to read again'
);

-- Two symbols with long names, so that 3,000 bars are 500 KB.
insert into public.derived_data_bars (
  canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes, quality_score
)
select repeat(y.letter, 60), '5m', timestamptz '2025-07-01 00:00+00' + n * interval '5 minutes', 1, 1, 1, 1, '1m', 5, 5, 5, 5, 2
from unnest(array['A', 'B']) as y (letter)
cross join generate_series(0, 1499) as n;
select is(agg.send_broadcasts(), 3, 'more than a message may hold is split');
select is(
  (
    select format('%s %s %s', max(octet_length(m.payload::text)) < 256 * 1024, sum(jsonb_array_length(m.payload -> 'bars')), array_agg(m.payload -> 'revision' order by m.payload -> 'revision'))
    from realtime.messages as m
    where m.payload #>> '{bars,0,0}' ~ '^(A{60}|B{60})$'
  ),
  't 3000 {5,6,7}', 'below the limit of Realtime, each part with a revision'
);

drop function realtime.send;
update public.derived_data_bars as d set vol = 1 where d.canonical_symbol = 'ACME';
select is(agg.send_broadcasts(), 0, 'where Realtime is gone, nothing fails');
select is_empty('select from agg.broadcast_note', 'and notes do not pile up');

select * from finish();
rollback;
