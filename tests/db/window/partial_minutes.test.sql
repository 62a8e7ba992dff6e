begin;
select plan(3);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'ACME', m, 1, 1, 1, 1
from generate_series(timestamptz '2025-07-01 00:00+00', '2025-07-01 00:59+00', interval '1 minute') as m;
update public.data_bars as b set is_partial = true where b.ts_utc = '2025-07-01 00:07+00';
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 01:05+00'); end; $$;
select results_eq(
  $$ select d.timeframe, d.ts_utc from public.derived_data_bars as d where d.is_partial order by 1 $$,
  $$ values ('1h', timestamptz '2025-07-01 00:00+00'), ('5m', '2025-07-01 00:05+00') $$,
  'a bar made of a partial minute says so, at every level'
);
update public.data_bars as b set is_partial = false where b.ts_utc = '2025-07-01 00:07+00';
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 01:06+00'); end; $$;
select is_empty(
  'select d.* from public.derived_data_bars as d where d.is_partial', 'a minute that is complete later takes the mark away, at every level'
);
select is_empty('select v.* from public.agg_verify() as v', 'agg_verify() compares the mark');

select * from finish();
rollback;
