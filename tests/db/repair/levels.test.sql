begin;
select plan(5);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 2, 1, 1, 1
from generate_series(0, 239) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
create temporary table bar_before as
select d.timeframe, d.ts_utc, to_jsonb(d) - 'updated_at' - 'created_at' as bar from public.derived_data_bars as d;
delete from public.derived_data_bars as d where d.timeframe = '5m' and d.ts_utc = '2025-07-01 01:30+00';
update public.derived_data_bars as d set vol = 99 where d.timeframe = '5m' and d.ts_utc = '2025-07-01 03:00+00';

-- The hour agrees with the wrong bar below it: nothing but the repair of that one can mend it.
update public.derived_data_bars as d set vol = (
  select sum(s.vol) from public.derived_data_bars as s
  where s.timeframe = '5m' and s.ts_utc >= d.ts_utc and s.ts_utc < d.ts_utc + interval '1 hour'
)
where d.timeframe = '1h' and d.ts_utc = '2025-07-01 03:00+00';
select is(
  public.agg_repair(p_timeframe => '5m'), '{"success": true, "tasks": 1, "windows": 2}', 'agg_repair() counts the windows that it asks for'
);
select results_eq(
  'select k.timeframe, k.spans from agg.correction as k order by 1',
  $$
    values ('5m', tstzmultirange(
      tstzrange('2025-07-01 01:30+00', '2025-07-01 01:35+00'), tstzrange('2025-07-01 03:00+00', '2025-07-01 03:05+00')
    ))
  $$,
  'agg_repair() asks for these and for nothing between them'
);
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
select results_eq(
  $$ select d.timeframe, d.ts_utc, to_jsonb(d) - 'updated_at' - 'created_at' from public.derived_data_bars as d order by 1, 2 $$,
  'select b.* from bar_before as b order by 1, 2',
  'agg_run_due() then mends these, and their hours with them'
);
select is(public.agg_repair(), '{"success": true, "tasks": 0, "windows": 0}', 'agg_repair() finds nothing more to mend');

update public.derived_data_bars as d set trade_count = 99;
do $$
begin
  perform public.agg_repair('ACME', '1h', '2025-07-01 01:00+00', '2025-07-01 02:00+00');
  perform public.agg_run_due(p_now => '2025-07-01 05:00+00');
end;
$$;
select results_eq(
  'select v.timeframe, count(*) from public.agg_verify() as v group by 1 order by 1',
  $$ values ('1h', 3::bigint), ('5m', 48) $$,
  'agg_repair() keeps to the symbol, the timeframe and the range that it is given'
);

select * from finish();
rollback;
