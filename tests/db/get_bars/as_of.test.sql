begin;
select plan(9);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_asset('BETA');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:20+00', 2);
call tests.add_minutes('BETA', '2025-07-01 00:00+00', '2025-07-01 00:20+00', 2);
call tests.run('2025-07-01 01:00+00');

-- A day is an hour of the past: a writer that gives updated_at says since when a row is so.
create function pg_temp.at(p_hour integer) returns timestamptz language sql as $$ select now() - interval '100 days' + p_hour * interval '1 hour' $$;
update public.derived_data_bars as d set updated_at = pg_temp.at(0);
update public.derived_data_bars as d set close = 2.5, high = 3, updated_at = pg_temp.at(1) where d.canonical_symbol = 'ACME' and d.ts_utc = '2025-07-01 00:05+00' and d.timeframe = '5m';
update public.derived_data_bars as d set deleted_at = now(), updated_at = pg_temp.at(2) where d.canonical_symbol = 'ACME' and d.ts_utc = '2025-07-01 00:05+00' and d.timeframe = '5m';
update public.derived_data_bars as d set deleted_at = null, close = 3, updated_at = pg_temp.at(3) where d.canonical_symbol = 'ACME' and d.ts_utc = '2025-07-01 00:05+00' and d.timeframe = '5m';
update public.derived_data_bars as d set updated_at = pg_temp.at(4) where d.canonical_symbol = 'ACME' and d.ts_utc = '2025-07-01 00:15+00' and d.timeframe = '5m';
delete from public.derived_data_bars_revision as v where v.ts_utc = '2025-07-01 00:15+00';

create function pg_temp.rows(
  p_as_of timestamptz, p_from timestamptz default null, p_limit integer default 1000, p_symbols text[] default array['ACME']
)
returns text language sql as $$
  select string_agg(to_char(b.ts_utc at time zone 'UTC', 'HH24:MI') || '=' || b.close, ' ')
  from public.get_bars(p_symbols, '5m', p_from, null, p_limit, p_as_of => p_as_of) as b
$$;
select is(pg_temp.rows(pg_temp.at(0) - interval '1 microsecond'), null, 'before the first build there was nothing');
select is(pg_temp.rows(pg_temp.at(0)), '00:00=2 00:05=2 00:10=2', 'then what was built first, without what came later');
select is(pg_temp.rows(pg_temp.at(1) - interval '1 microsecond'), '00:00=2 00:05=2 00:10=2', 'up to the correction');
select is(pg_temp.rows(pg_temp.at(1)), '00:00=2 00:05=2.5 00:10=2', 'then the corrected bar');
select is(pg_temp.rows(pg_temp.at(2)), '00:00=2 00:10=2', 'then no bar');
select is(pg_temp.rows(pg_temp.at(3), '2025-07-01 00:05+00'), '00:05=3 00:10=2', 'then a bar again, in a range as well');
select is(pg_temp.rows(pg_temp.at(4), '2025-07-01 00:05+00', 2), '00:05=3 00:10=2', 'p_limit counts the bars of that time');
select is(pg_temp.rows(pg_temp.at(1), null, 2, array['BETA', 'ACME']), '00:05=2.5 00:10=2 00:10=2 00:15=2', 'p_limit of the latest as well, of each symbol');
select is(
  (select b.updated_at from public.get_bars(array['ACME'], '5m', '2025-07-01 00:05+00', p_limit => 1, p_as_of => pg_temp.at(1)) as b), pg_temp.at(1),
  'updated_at says since when the bar had been so'
);

select * from finish();
rollback;
