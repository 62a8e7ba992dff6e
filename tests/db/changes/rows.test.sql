begin;
select plan(10);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_asset('BETA');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:20+00', 2);
call tests.add_minutes('BETA', '2025-07-01 00:00+00', '2025-07-01 00:20+00', 2);
call tests.run('2025-07-01 01:00+00');

create function pg_temp.at(p_hour integer) returns timestamptz language sql as $$ select now() - interval '100 days' + p_hour * interval '1 hour' $$;
update public.derived_data_bars as d set updated_at = pg_temp.at(0);
create procedure pg_temp.set_close(p_symbol text, p_minute integer, p_close double precision, p_hour integer) language sql as $$
  update public.derived_data_bars as d
  set close = coalesce(p_close, d.close), high = 9, deleted_at = case when p_close is null then now() end, updated_at = pg_temp.at(p_hour)
  where d.canonical_symbol = p_symbol and d.timeframe = '5m' and d.ts_utc = timestamptz '2025-07-01 00:00+00' + p_minute * interval '1 minute'
$$;
create function pg_temp.changes(
  p_from integer default -1, p_to integer default null, p_symbols text[] default null, p_timeframe text default null, p_limit integer default 1000,
  p_after jsonb default null
)
returns text language sql as $$
  select string_agg(
    format('%s %s %s %s->%s', c.canonical_symbol, to_char(c.ts_utc at time zone 'UTC', 'MI'), extract(epoch from c.changed_at - pg_temp.at(0))::integer / 3600,
      coalesce(c.before ->> 'close', 'none'), coalesce(c.after ->> 'close', 'none')), ', '
  )
  from public.agg_changes(pg_temp.at(p_from), pg_temp.at(p_to), p_symbols, p_timeframe, p_limit, p_after) as c
$$;

select is(pg_temp.changes(), null, 'first builds are no changes');
call pg_temp.set_close('ACME', 5, 2.5, 1);
call pg_temp.set_close('ACME', 5, 3, 2);
call pg_temp.set_close('ACME', 5, null, 3);
call pg_temp.set_close('ACME', 5, 4, 5);
call pg_temp.set_close('BETA', 0, 5, 2);
-- Nothing that a reader sees.
update public.derived_data_bars as d set raw = '{"a": 1}', updated_at = pg_temp.at(4) where d.canonical_symbol = 'BETA' and d.timeframe = '5m' and d.ts_utc = '2025-07-01 00:10+00';
delete from public.derived_data_bars as d where d.canonical_symbol = 'BETA' and d.timeframe = '5m' and d.ts_utc = '2025-07-01 00:15+00';

select is(
  pg_temp.changes(p_to => 10), 'ACME 05 1 2->2.5, ACME 05 2 2.5->3, BETA 00 2 2->5, ACME 05 3 3->none, ACME 05 5 none->4', 'each change has what was and what became of it'
);
select is(pg_temp.changes(2, 3), 'ACME 05 2 2.5->3, BETA 00 2 2->5', 'agg_changes() lists changes in [p_from, p_to)');
select is(pg_temp.changes(0, 9, array['BETA', 'NONE']), 'BETA 00 2 2->5', 'p_symbols limits them');
select is(pg_temp.changes(0, 9, null, '1h'), null, 'p_timeframe limits them');
select is(pg_temp.changes(p_limit => 2), 'ACME 05 1 2->2.5, ACME 05 2 2.5->3', 'p_limit limits them');
select is(
  pg_temp.changes(
    p_limit => 2, p_after => jsonb_build_object('changed_at', pg_temp.at(2), 'canonical_symbol', 'ACME', 'timeframe', '5m', 'ts_utc', '2025-07-01T00:05:00Z')
  ),
  'BETA 00 2 2->5, ACME 05 3 3->none', 'a page begins after the last row of the page before'
);
select is(
  (
    select array[c.reason, c.seen_from::text, c.before ->> 'close', c.after ->> 'close'] from public.agg_changes(pg_temp.at(6)) as c
  ),
  array['deleted', pg_temp.at(0)::text, '2', null], 'a row that was deleted'
);
select throws_ok(
  $$ select public.agg_changes('2025-07-02', '2025-07-01') $$, '22023', '[2025-07-02 00:00:00+00, 2025-07-01 00:00:00+00) is not a range of time', 'an empty range'
);
select throws_ok(
  $$ select public.agg_changes('2025-07-01', p_after => '{"canonical_symbol": "ACME"}') $$, '22023', null, 'p_after that says no row'
);

select * from finish();
rollback;
