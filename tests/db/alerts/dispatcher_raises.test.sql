begin;
select plan(2);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1, 1e308
from generate_series(0, 4) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;

create temporary table run as
select g.n, public.agg_run_due(p_now => timestamptz '2025-07-01 01:00+00' + g.n * interval '1 hour') ->> 'failed' as failed
from generate_series(1, 2) as g (n);
select results_eq(
  'select r.failed from run as r order by r.n', $$ values ('1'), ('1') $$, 'agg_run_due() counts failures'
);
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 05:00+00'); end; $$;
select results_eq(
  $$ select a.kind, a.canonical_symbol, a.timeframe, a.raised_at from agg.alert as a order by a.alert_id $$,
  $$ values ('failing', 'ACME', '5m', timestamptz '2025-07-01 03:00+00'), ('hard_failed', 'ACME', '5m', timestamptz '2025-07-01 05:00+00') $$,
  'agg_run_due() raises alerts itself: failing after 15 minutes, hard_failed with the third hard failure'
);

select * from finish();
rollback;
