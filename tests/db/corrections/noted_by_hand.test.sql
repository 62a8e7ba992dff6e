begin;
select plan(3);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 2, 1, 1, 1
from generate_series(0, 239) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
alter table public.data_bars disable trigger user;
update public.data_bars as b set high = 3 where b.ts_utc in ('2025-07-01 00:31+00', '2025-07-01 02:31+00');
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
select is_empty(
  'select d.ts_utc from public.derived_data_bars as d where d.high = 3', 'nothing is corrected that nothing has noted'
);
do $$ begin perform public.agg_add_change_note(array['ACME'], p_to => '2025-07-01 02:00+00'); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
select results_eq(
  'select d.timeframe, d.ts_utc from public.derived_data_bars as d where d.high = 3 order by 1',
  $$ values ('1h', timestamptz '2025-07-01 00:00+00'), ('5m', '2025-07-01 00:30+00') $$,
  'agg_run_due() corrects what agg_add_change_note() has noted, and no more'
);
do $$ begin perform public.agg_add_change_note(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
select is_empty(
  'select v.ts_utc from public.agg_verify() as v', 'agg_run_due() corrects everything when agg_add_change_note() has noted everything'
);

select * from finish();
rollback;
