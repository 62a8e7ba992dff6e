begin;
select plan(7);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_asset('BETA');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 02:00+00', p_vol => 1, p_without => array[timestamptz '2025-07-01 00:32+00']);
call tests.add_minutes('BETA', '2025-07-01 00:00+00', '2025-07-01 02:00+00');
call tests.run('2025-07-01 05:00+00');
-- now() stands still within a transaction: what was written before must be older.
create procedure pg_temp.age(p_days integer) language sql as $$
  update public.derived_data_bars as d set updated_at = now() - make_interval(days => p_days) where d.updated_at = now();
  update public.derived_data_bars_revision as v set replaced_at = now() - make_interval(days => p_days) where v.replaced_at = now();
$$;
create function pg_temp.versions(p_timeframe text) returns table (ts_utc timestamptz, is_bar boolean, close double precision, minutes integer, reason text)
language sql as $$
  select v.ts_utc, v.is_bar, v.close, v.covered_minutes, v.reason from public.agg_bar_versions('ACME', p_timeframe, '2025-07-01', '2025-07-02') as v
$$;
call pg_temp.age(2);
select is_empty($$ select * from pg_temp.versions('5m') $$, 'bars that have not changed have no versions');

call tests.add_minutes('ACME', '2025-07-01 00:32+00', '2025-07-01 00:33+00', 9, p_vol => 1);
call tests.run('2025-07-01 05:00+00');
call pg_temp.age(1);
delete from public.data_bars as b where b.canonical_symbol = 'ACME' and b.ts_utc >= '2025-07-01 00:31+00' and b.ts_utc < '2025-07-01 00:35+00';
update public.data_bars as b set close = 0.5, low = 0.5 where b.canonical_symbol in ('ACME', 'BETA') and b.ts_utc = '2025-07-01 01:14+00';
call tests.run('2025-07-01 05:00+00');

select results_eq(
  $$ select * from pg_temp.versions('5m') $$,
  $$ values
    (timestamptz '2025-07-01 01:10+00', true, 1::double precision, 5, 'changed_minutes'),
    ('2025-07-01 01:10+00', true, 0.5, 5, null),
    ('2025-07-01 00:30+00', true, 1, 4, 'late_minutes'),
    ('2025-07-01 00:30+00', true, 1, 5, 'lost_minutes'),
    ('2025-07-01 00:30+00', false, 1, 1, null)
  $$,
  'agg_bar_versions() lists the versions of bars that changed, the newest window first, what is stored now last'
);
select results_eq(
  $$
    select v.written_at, v.replaced_at
    from public.agg_bar_versions('ACME', '5m', '2025-07-01 00:30+00', '2025-07-01 00:35+00') as v
  $$,
  $$ values (now() - interval '2 days', now() - interval '1 day'), (now() - interval '1 day', now()), (now(), null) $$,
  'a version was stored until the next one was'
);
select results_eq(
  $$ select distinct v.ts_utc from pg_temp.versions('1h') as v order by 1 $$,
  $$ values (timestamptz '2025-07-01 00:00+00'), ('2025-07-01 01:00+00') $$, 'of any timeframe'
);
select results_eq(
  $$ select v.ts_utc from public.agg_bar_versions('ACME', '5m', '2025-07-01 00:35+00') as v $$,
  $$ values (timestamptz '2025-07-01 01:10+00'), ('2025-07-01 01:10+00') $$, 'p_from is the first window, and without p_to there is no end'
);
select is((select count(*) from public.agg_bar_versions('ACME', '5m', '2025-07-01', null, 3)), 3::bigint, 'p_limit limits the rows');
select is_empty($$ select * from pg_temp.versions('1m') $$, 'minutes have no versions');

select * from finish();
rollback;
