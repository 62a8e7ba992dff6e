begin;
select plan(15);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_asset('FORGETS', '{"revisions": false}');
call tests.add_minutes(
  'ACME', '2025-07-01 00:00+00', '2025-07-01 02:00+00', p_vol => 1,
  p_without => array[timestamptz '2025-07-01 00:32+00', '2025-07-01 00:40+00', '2025-07-01 00:41+00', '2025-07-01 00:42+00']
);
call tests.add_minutes('FORGETS', '2025-07-01 00:00+00', '2025-07-01 02:00+00', p_vol => 1);
call tests.run('2025-07-01 05:00+00');
select is_empty('select from public.derived_data_bars_revision', 'first builds keep no revision');

-- now() stands still within a transaction: what was written before must be older.
create procedure pg_temp.age() language sql as $$ update public.derived_data_bars as d set updated_at = now() - interval '1 day' where d.updated_at = now() $$;
create function pg_temp.kept() returns table (timeframe text, ts_utc timestamptz, close double precision, covered integer, is_bar boolean, reason text)
language sql as $$
  with gone as (select v.* from public.derived_data_bars_revision as v)
  select g.timeframe, g.ts_utc, g.close, g.covered_minutes, g.deleted_at is null, g.reason from gone as g order by g.canonical_symbol, g.timeframe desc, g.ts_utc
$$;
create procedure pg_temp.forget() language sql as $$ delete from public.derived_data_bars_revision $$;
call pg_temp.age();
select is_empty('select from public.derived_data_bars_revision', 'a writer that gives updated_at itself says since when the row is so');

call tests.add_minutes('ACME', '2025-07-01 00:32+00', '2025-07-01 00:33+00', 9, p_vol => 1);
call tests.run('2025-07-01 05:00+00');
select results_eq(
  'select k.* from pg_temp.kept() as k',
  $$ values
    ('5m', timestamptz '2025-07-01 00:30+00', 1::double precision, 4, true, 'late_minutes'),
    ('1h', '2025-07-01 00:00+00', 1, 56, true, 'late_minutes') $$,
  'a late minute keeps what its bars were, level by level'
);
select results_eq(
  'select distinct v.written_at, v.replaced_at from public.derived_data_bars_revision as v',
  $$ values (now() - interval '1 day', now()) $$,
  'a revision says since when and up to when the bar was so'
);
update public.data_bars as b set high = 12 where b.ts_utc = '2025-07-01 00:32+00';
call tests.run('2025-07-01 05:00+00');
select is((select count(*) from public.derived_data_bars_revision), 2::bigint, 'what its own transaction wrote, no reader has seen');

call pg_temp.forget();
call pg_temp.age();
update public.data_bars as b set high = 13 where b.ts_utc = '2025-07-01 00:32+00';
call tests.run('2025-07-01 05:00+00');
select results_eq(
  'select k.timeframe, k.reason from pg_temp.kept() as k',
  $$ values ('5m', 'changed_minutes'), ('1h', 'changed_minutes') $$, 'a changed minute'
);
call pg_temp.forget();
call pg_temp.age();
delete from public.data_bars as b where b.ts_utc = '2025-07-01 00:32+00';
call tests.run('2025-07-01 05:00+00');
select results_eq(
  'select k.timeframe, k.reason from pg_temp.kept() as k', $$ values ('5m', 'lost_minutes'), ('1h', 'lost_minutes') $$, 'a lost minute'
);
call pg_temp.forget();
call pg_temp.age();
call tests.add_minutes('ACME', '2025-07-01 00:40+00', '2025-07-01 00:41+00', p_vol => 1);
call tests.run('2025-07-01 05:00+00');
select results_eq(
  'select k.* from pg_temp.kept() as k',
  $$ values
    ('5m', timestamptz '2025-07-01 00:40+00', 1::double precision, 2, false, 'late_minutes'),
    ('1h', '2025-07-01 00:00+00', 1, 56, true, 'late_minutes') $$,
  'a window that had no bar, and has one now'
);
call pg_temp.forget();
call pg_temp.age();
delete from public.data_bars as b where b.ts_utc in ('2025-07-01 00:40+00', '2025-07-01 00:43+00');
call tests.run('2025-07-01 05:00+00');
call pg_temp.forget();
call pg_temp.age();
call tests.add_minutes('ACME', '2025-07-01 00:43+00', '2025-07-01 00:44+00', p_vol => 1);
call tests.run('2025-07-01 05:00+00');
select results_eq(
  'select k.timeframe from pg_temp.kept() as k', $$ values ('1h') $$, 'a window that had no bar, and has none, is not kept'
);

call pg_temp.forget();
call pg_temp.age();
call tests.set_metadata('ACME', '{agg,session}', '{"time_zone": "UTC", "weekly": [{"open": "Tue 00:00", "close": "Tue 00:55"}]}');
call tests.run('2025-07-01 05:00+00');
select ok(
  exists (select from pg_temp.kept() as k where k.timeframe = '1h' and k.ts_utc = '2025-07-01 00:00+00' and k.reason in ('new_rules', 'lost_minutes')),
  'other hours of the market'
);
call pg_temp.forget();
call pg_temp.age();
update public.derived_data_bars as d set close = 1.5, high = 20 where d.timeframe = '5m' and d.ts_utc = '2025-07-01 00:00+00' and d.canonical_symbol = 'ACME';
select results_eq('select k.timeframe, k.reason from pg_temp.kept() as k', $$ values ('5m', 'by_hand') $$, 'an edit by hand');
call pg_temp.forget();
call pg_temp.age();
delete from public.derived_data_bars as d where d.timeframe = '5m' and d.ts_utc = '2025-07-01 00:00+00' and d.canonical_symbol = 'ACME';
select results_eq('select k.timeframe, k.close, k.reason from pg_temp.kept() as k', $$ values ('5m', 1.5::double precision, 'deleted') $$, 'a row that is deleted by hand');
call pg_temp.forget();
update public.derived_data_bars as d set ts_utc = '2025-07-01 00:00+00' where d.timeframe = '5m' and d.ts_utc = '2025-07-01 00:05+00' and d.canonical_symbol = 'ACME';
select results_eq(
  'select k.timeframe, k.ts_utc, k.reason from pg_temp.kept() as k',
  $$ values ('5m', timestamptz '2025-07-01 00:05+00', 'deleted') $$, 'a row whose key is changed is gone from its place'
);

call pg_temp.forget();
call pg_temp.age();
update public.data_bars as b set high = 12 where b.canonical_symbol = 'FORGETS' and b.ts_utc = '2025-07-01 00:32+00';
call tests.run('2025-07-01 05:00+00');
delete from public.derived_data_bars as d where d.canonical_symbol = 'FORGETS' and d.ts_utc = '2025-07-01 00:00+00';
select is_empty('select from pg_temp.kept() as k', 'metadata.agg.revisions = false keeps none');

set local pgbars.keeps_deleted = 'off';
delete from public.derived_data_bars as d where d.timeframe = '5m';
select is_empty('select from pg_temp.kept() as k', 'what is removed on purpose is not kept');

select * from finish();
rollback;
