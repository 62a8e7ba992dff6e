begin;
select plan(2);

-- A task fails whose bars overflow, which no door lets in.
alter table public.data_bars drop constraint data_bars_vol_in_range;

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:05+00', p_vol => 1e308);

create temporary table run as
select g.n, public.agg_run_due(p_now => timestamptz '2025-07-01 01:00+00' + g.n * interval '1 hour') ->> 'failed' as failed
from generate_series(1, 2) as g (n);
select results_eq(
  'select r.failed from run as r order by r.n', $$ values ('1'), ('1') $$, 'agg_run_due() counts failures'
);
call tests.run('2025-07-01 05:00+00');
select results_eq(
  $$ select a.kind, a.canonical_symbol, a.timeframe, a.raised_at from agg.alert as a order by a.alert_id $$,
  $$ values ('failing', 'ACME', '5m', timestamptz '2025-07-01 03:00+00'), ('hard_failed', 'ACME', '5m', timestamptz '2025-07-01 05:00+00') $$,
  'agg_run_due() raises alerts itself: failing after 15 minutes, hard_failed with the third hard failure'
);

select * from finish();
rollback;
