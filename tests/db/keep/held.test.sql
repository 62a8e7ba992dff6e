begin;
select plan(7);

create function pg_temp.floors(p_now timestamptz) returns text
language sql as $$
  select agg.raise_floors(p_now)::text;
  select string_agg(format('%s %s %s', f.canonical_symbol, f.timeframe, to_char(f.floor_utc at time zone 'UTC', 'MM-DD')), ', ' order by f.canonical_symbol, f.timeframe)
  from agg.floor as f
$$;

call tests.clear();
call tests.add_asset('ACME', '{"keep": {"1m": "1 day", "5m": "1 week"}}');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-20 00:00+00');
select is(
  pg_temp.floors('2025-07-20 01:00+00'), 'ACME 1m 07-01, ACME 5m 07-01', 'a floor does not pass what is not built yet'
);
call tests.run_batch('2025-07-20 01:00+00', 1440);
select is(pg_temp.floors('2025-07-20 01:00+00'), 'ACME 1m 07-06, ACME 5m 07-01', 'it follows the task that reads the bars');
call tests.run('2025-07-20 01:00+00');
update public.data_bars as b set close = 1, high = 3, open = 3 where b.canonical_symbol = 'ACME' and b.ts_utc = '2025-07-08 12:00+00';
select is(
  pg_temp.floors('2025-07-20 01:00+00'), 'ACME 1m 07-08, ACME 5m 07-13', 'it does not pass a window that waits to be built again'
);
call tests.run('2025-07-20 01:00+00');
select is(
  (select d.high from public.derived_data_bars as d where d.timeframe = '5m' and d.ts_utc = '2025-07-08 12:00+00'), 3::double precision,
  'so that the correction is made'
);
select is(pg_temp.floors('2025-07-20 01:00+00'), 'ACME 1m 07-19, ACME 5m 07-13', 'afterwards it goes on');
select is(pg_temp.floors('2025-07-10 01:00+00'), 'ACME 1m 07-19, ACME 5m 07-13', 'a clock that is behind lowers no floor');

-- Registered, not active: its bars may be all that there is.
insert into public.core_asset_registry_all (canonical_symbol, metadata) values ('LATER', '{"agg": {"keep": {"1m": "1 day"}}}');
call tests.add_minutes('LATER', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
select is(
  pg_temp.floors('2025-07-20 01:00+00'), 'ACME 1m 07-19, ACME 5m 07-13', 'bars of an asset that is not active are all kept'
);

select * from finish();
rollback;
