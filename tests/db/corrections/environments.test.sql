begin;
select plan(3);

-- Only a sync changes tasks here, as in a deployment that was there before the triggers.
alter table public.core_asset_registry_all disable trigger user;
delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
select a.symbol, true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}'
from unnest(array['PROD', 'TESTED']) as a (symbol);
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select r.canonical_symbol, timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from public.core_asset_registry_all as r
cross join generate_series(0, 59) as m (n)
where r.active;
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 01:05+00'); end; $$;
update public.core_asset_registry_all as r set active = false, test_active = true where r.canonical_symbol = 'TESTED';
create function pg_temp.corrected() returns text
language sql as $$
  select string_agg(d.canonical_symbol || ' ' || d.timeframe, ', ' order by d.canonical_symbol, d.timeframe)
  from public.derived_data_bars as d
  where d.high = 2
$$;

update public.data_bars as b set high = 2 where b.ts_utc = '2025-07-01 00:31+00';
do $$ begin perform public.agg_run_due('DEV', p_now => '2025-07-01 01:05+00'); end; $$;
select is(pg_temp.corrected(), 'TESTED 1h, TESTED 5m', 'agg_run_due() corrects the assets of its environment');
select is(
  (select string_agg(k.canonical_symbol, ' ') from agg.correction as k), 'PROD', 'agg_run_due() leaves corrections of others for their dispatcher'
);
do $$ begin perform public.agg_run_due('prod', p_now => '2025-07-01 01:05+00'); end; $$;
select is(pg_temp.corrected(), 'PROD 1h, PROD 5m, TESTED 1h, TESTED 5m', 'agg_run_due() of the other environment makes these');

select * from finish();
rollback;
