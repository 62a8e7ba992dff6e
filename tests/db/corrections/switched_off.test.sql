begin;
select plan(5);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from generate_series(0, 119) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 02:05+00'); end; $$;
create function pg_temp.switch(p_is_active boolean) returns void
language plpgsql as $$
begin
  update public.core_asset_registry_all as r set active = p_is_active where r.canonical_symbol = 'ACME';
  perform public.sync_agg_state_from_registry();
end;
$$;

do $$ begin perform pg_temp.switch(false); end; $$;
update public.data_bars as b set high = 2 where b.ts_utc = '2025-07-01 00:33+00';
create temporary table run as select public.agg_run_due(p_now => '2025-07-01 02:05+00') as result;
select is(r.result ->> 'stopped_reason', 'idle', 'agg_run_due() does not wait for a task that is switched off') from run as r;
select is_empty(
  'select d.ts_utc from public.derived_data_bars as d where d.high = 2', 'agg_run_due() corrects nothing that is switched off'
);
select results_eq(
  'select k.timeframe, k.spans from agg.correction as k order by 1',
  $$ values ('5m', tstzmultirange(tstzrange('2025-07-01 00:33+00', '2025-07-01 00:34+00'))) $$,
  'agg_run_due() keeps the correction meanwhile'
);

do $$ begin perform pg_temp.switch(true); perform public.agg_run_due(p_now => '2025-07-01 02:05+00'); end; $$;
select results_eq(
  'select d.timeframe, d.ts_utc from public.derived_data_bars as d where d.high = 2 order by 1',
  $$ values ('1h', timestamptz '2025-07-01 00:00+00'), ('5m', '2025-07-01 00:30+00') $$,
  'agg_run_due() makes it once the asset is switched on again'
);
select is_empty('select k.correction_id from agg.correction as k', 'agg_run_due() leaves no correction then');

select * from finish();
rollback;
