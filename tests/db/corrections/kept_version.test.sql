begin;
select plan(4);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 02:00+00');
do $$
begin
  perform public.agg_run_due(p_now => '2025-07-01 02:05+00');
  perform public.catchup_aggregation_range(
    'ACME', '5m', '2025-06-30 23:55+00', 12, p_until_utc => '2025-07-01 02:05+00', p_derivation_version => 2
  );
end;
$$;
create function pg_temp.versions() returns table (timeframe text, derivation_version integer, bars bigint)
language sql as $$
  select d.timeframe, d.derivation_version, count(*) from public.derived_data_bars as d where d.deleted_at is null group by 1, 2 order by 1, 2
$$;
select results_eq(
  'select v.* from pg_temp.versions() as v', $$ values ('1h', 1, 2::bigint), ('5m', 1, 12), ('5m', 2, 12) $$,
  'catchup_aggregation_range() gives decided windows another version'
);
select is_empty('select v.* from public.agg_verify() as v', 'agg_verify() accepts every version');

update public.data_bars as b set high = 2 where b.ts_utc in ('2025-07-01 00:31+00', '2025-07-01 01:31+00');
call tests.run('2025-07-01 02:05+00');
select results_eq(
  $$ select d.ts_utc, d.high, d.derivation_version from public.derived_data_bars as d where d.timeframe = '5m' and d.high > 1 order by 1 $$,
  $$ values (timestamptz '2025-07-01 00:30+00', 2::double precision, 2), ('2025-07-01 01:30+00', 2, 1) $$,
  'a correction keeps the version of the bar'
);
select results_eq(
  'select v.* from pg_temp.versions() as v', $$ values ('1h', 1, 2::bigint), ('5m', 1, 12), ('5m', 2, 12) $$, 'a correction changes the version of no other bar'
);

select * from finish();
rollback;
