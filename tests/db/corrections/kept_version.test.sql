begin;
select plan(4);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from generate_series(0, 119) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
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
select is_empty('select v.* from public.agg_verify() as v', 'agg_verify() calls no version wrong');

update public.data_bars as b set high = 2 where b.ts_utc in ('2025-07-01 00:31+00', '2025-07-01 01:31+00');
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 02:05+00'); end; $$;
select results_eq(
  $$ select d.ts_utc, d.high, d.derivation_version from public.derived_data_bars as d where d.timeframe = '5m' and d.high > 1 order by 1 $$,
  $$ values (timestamptz '2025-07-01 00:30+00', 2::double precision, 2), ('2025-07-01 01:30+00', 2, 1) $$,
  'a correction keeps the version of the bar'
);
select results_eq(
  'select v.* from pg_temp.versions() as v', $$ values ('1h', 1, 2::bigint), ('5m', 1, 12), ('5m', 2, 12) $$, 'and of all others'
);

select * from finish();
rollback;
