begin;
select plan(5);

-- Only a sync changes tasks here, as in a deployment that was there before the triggers.
alter table public.core_asset_registry_all disable trigger user;
delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
select s.symbol, true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}'::jsonb
from unnest(array['ALPHA', 'HUGE', 'OMEGA']) as s (symbol)
union all
select
  'BASKET', true,
  '{
    "is_synthetic": true, "components": ["ALPHA"], "component_weights": {"ALPHA": 1}, "formula_base": 1,
    "agg": {"start_utc": "2025-07-01T00:00:00Z"}
  }';
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select s.symbol, timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1, 1
from unnest(array['ALPHA', 'HUGE', 'OMEGA']) as s (symbol)
cross join generate_series(0, 119) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 02:05+00'); end; $$;
select is_empty('select v.* from public.agg_verify() as v', 'all is well before this test');

-- Unnoticed: with the triggers off. Two volumes are fine each and overflow their sum.
set local session_replication_role = replica;
update public.data_bars as b set high = 2 where b.canonical_symbol in ('ALPHA', 'OMEGA') and b.ts_utc = '2025-07-01 00:31+00';
update public.data_bars as b set vol = 1e308
where b.canonical_symbol = 'HUGE' and b.ts_utc in ('2025-07-01 00:31+00', '2025-07-01 00:33+00');
delete from public.derived_data_bars as d where d.canonical_symbol = 'HUGE' and d.timeframe = '1h' and d.ts_utc = '2025-07-01 01:00+00';
set local session_replication_role = origin;
update public.core_asset_registry_all as r set metadata = r.metadata || '{"formula_base": "one"}' where r.canonical_symbol = 'BASKET';

select results_eq(
  $$
    select v.canonical_symbol, v.timeframe, v.ts_utc, v.problem, substring(v.expected ->> 'error' from '\((.{5})\)$'), v.is_pending
    from public.agg_verify() as v
  $$,
  $$
    values
      ('ALPHA', '5m', timestamptz '2025-07-01 00:30+00', 'different', null, false),
      ('BASKET', '1m', '2025-07-01 00:00+00', 'failed', '22023', false),
      ('HUGE', '5m', '2025-07-01 00:00+00', 'failed', '22003', false),
      ('HUGE', '1h', '2025-07-01 01:00+00', 'missing', null, false),
      ('OMEGA', '5m', '2025-07-01 00:30+00', 'different', null, false)
  $$,
  'agg_verify() lists a task that cannot be computed with the error, and the others all the same'
);
select is(public.agg_repair(), '{"success": true, "tasks": 3, "windows": 3}', 'agg_repair() asks for what can be computed');
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 02:05+00'); end; $$;
select results_eq(
  'select v.canonical_symbol, v.timeframe, v.problem from public.agg_verify() as v',
  $$ values ('BASKET', '1m', 'failed'), ('HUGE', '5m', 'failed') $$,
  'agg_run_due() then mends it'
);

update public.data_bars as b set vol = 1 where b.vol > 1;
update public.core_asset_registry_all as r set metadata = r.metadata || '{"formula_base": 1}' where r.canonical_symbol = 'BASKET';
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 02:05+00'); end; $$;
select is_empty('select v.* from public.agg_verify() as v', 'agg_verify() lists nothing when the rest is mended');

select * from finish();
rollback;
