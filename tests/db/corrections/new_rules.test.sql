begin;
select plan(8);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 06:00+00');
-- 04:00 to 05:00 lacks the last two minutes of every five.
delete from public.data_bars as b
where b.ts_utc >= '2025-07-01 04:00+00' and b.ts_utc < '2025-07-01 05:00+00' and extract(minute from b.ts_utc)::integer % 5 >= 3;
create function pg_temp.sync_with(p_rules jsonb) returns bigint
language plpgsql as $$
begin
  call tests.set_metadata('ACME', '{agg}', p_rules);
  perform public.sync_agg_state_from_registry();
  return (select count(*) from agg.correction as k);
end;
$$;
create function pg_temp.bars() returns text
language sql as $$
  select string_agg(b.timeframe || ' ' || b.bars || ' from ' || b.first, ', ' order by b.timeframe)
  from (
    select d.timeframe, count(*) as bars, to_char(min(d.ts_utc), 'HH24:MI') as first
    from public.derived_data_bars as d
    where d.deleted_at is null
    group by d.timeframe
  ) as b
$$;
do $$ begin perform pg_temp.sync_with('{"start_utc": "2025-07-01T02:00:00Z"}'); end; $$;
call tests.run('2025-07-01 07:00+00');
select is(pg_temp.bars(), '1h 4 from 02:00, 5m 48 from 02:00', 'nothing is built before agg_start_utc');
select is(
  pg_temp.sync_with('{"start_utc": "2025-07-01T02:00:00Z"}'), 0::bigint, 'a sync that changes no rule adds no correction'
);

select is(
  pg_temp.sync_with('{"start_utc": "2025-07-01T00:00:00Z"}'), 2::bigint,
  'sync_agg_state_from_registry() adds a correction for every task with an earlier start'
);
call tests.run('2025-07-01 07:00+00');
select is(pg_temp.bars(), '1h 6 from 00:00, 5m 72 from 00:00', 'agg_run_due() then builds what the earlier start adds');

do $$ begin perform pg_temp.sync_with('{"start_utc": "2025-07-01T00:00:00Z", "quality": {"good": 90, "poor": 70}}'); end; $$;
call tests.run('2025-07-01 07:00+00');
select is(pg_temp.bars(), '1h 5 from 00:00, 5m 60 from 00:00', 'agg_run_due() takes bars away that new thresholds refuse');
do $$ begin perform pg_temp.sync_with('{"start_utc": "2025-07-01T00:00:00Z"}'); end; $$;
call tests.run('2025-07-01 07:00+00');
select is(pg_temp.bars(), '1h 6 from 00:00, 5m 72 from 00:00', 'agg_run_due() brings them back with the old thresholds');

do $$
begin
  perform pg_temp.sync_with('{
    "start_utc": "2025-07-01T00:00:00Z",
    "session": {"time_zone": "UTC", "weekly": [{"open": "Tue 01:00", "close": "Tue 03:30"}]}
  }');
  perform public.agg_run_due(p_now => '2025-07-01 07:00+00');
end;
$$;
select is(pg_temp.bars(), '1h 3 from 01:00, 5m 30 from 01:00', 'agg_run_due() takes bars away that lie outside a new session');
select is(
  (select d.expected_minutes from public.derived_data_bars as d where d.timeframe = '1h' and d.ts_utc = '2025-07-01 03:00+00'),
  30, 'agg_run_due() counts the minutes that the new session expects'
);

select * from finish();
rollback;
