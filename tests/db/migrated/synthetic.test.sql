begin;
select plan(5);

call tests.clear();
call tests.add_basket('PAIR', '{"A": 1}');
-- Minutes of an older deployment, which its trigger refuses from outside.
alter table public.data_bars disable trigger note_insert;
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, source, raw)
select 'PAIR', m.ts_utc, 9, 9, 9, 9, 'synthetic', '{"migrated_from": "data_bars"}'
from generate_series(timestamptz '2025-07-01 00:00+00', '2025-07-01 00:09+00', interval '1 minute') as m (ts_utc);
alter table public.data_bars enable trigger note_insert;
call tests.add_minutes('A', '2025-07-01 00:05+00', '2025-07-01 00:20+00', 2);
create function pg_temp.closes() returns text
language sql as $$
  select string_agg(b.close || case when b.raw ? 'migrated_from' then '*' else '' end, ' ' order by b.ts_utc)
  from public.data_bars as b
  where b.canonical_symbol = 'PAIR'
$$;

call tests.run('2025-07-01 01:00+00');
select is(
  pg_temp.closes(), '9* 9* 9* 9* 9* ' || repeat('2 ', 14) || '2', 'minutes stay without components, and are replaced with them'
);
select is_empty('select * from public.agg_verify()', 'neither is a difference to agg_verify()');
delete from public.data_bars as b where b.canonical_symbol = 'A' and b.ts_utc < '2025-07-01 00:10+00';
call tests.run('2025-07-01 01:00+00');
select is(pg_temp.closes(), '9* 9* 9* 9* 9* ' || repeat('2 ', 9) || '2', 'once replaced they go with their components');
select is(
  (
    select d.close
    from public.derived_data_bars as d
    where d.canonical_symbol = 'PAIR' and d.timeframe = '5m' and d.ts_utc = '2025-07-01 00:00+00'
  ),
  9::double precision, 'longer bars are built from those that stay'
);
select is_empty('select * from public.agg_verify()', 'all of them are what they should be');

select * from finish();
rollback;
