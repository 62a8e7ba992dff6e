begin;
select plan(9);

-- A task fails whose bars overflow, which no door lets in.
alter table public.data_bars drop constraint data_bars_vol_in_range;

call tests.clear();
call tests.add_asset('ACME');
call tests.add_asset('OTHER');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 02:00+00', p_vol => 1);
call tests.add_minutes('OTHER', '2025-07-01 00:00+00', '2025-07-01 02:00+00', p_vol => 1);
call tests.run('2025-07-01 02:05+00');

-- Everything is resent with higher highs, and with two volumes that are fine each and overflow their sum.
update public.data_bars as b set
  high = 2,
  vol = case when b.canonical_symbol = 'ACME' and b.ts_utc in ('2025-07-01 00:31+00', '2025-07-01 00:33+00') then 1e308 else 1 end;
create temporary table run as select public.agg_run_due(p_now => '2025-07-01 02:05+00', p_time_budget => '10 seconds') as result;
select results_eq(
  'select r.result -> ''failed'', r.result ->> ''stopped_reason'' from run as r order by 1', $$ values ('1'::jsonb, 'idle') $$,
  'agg_run_due() counts the window that fails and goes on'
);
select results_eq(
  $$ select d.canonical_symbol, d.timeframe, d.ts_utc from public.derived_data_bars as d where d.high = 1 order by 1, 2, 3 $$,
  $$ values ('ACME', '5m', timestamptz '2025-07-01 00:30+00') $$,
  'a window that fails holds up neither its neighbours nor its hour nor other symbols'
);
select results_eq(
  'select k.canonical_symbol, k.timeframe, k.spans, k.failures, k.retry_at, k.error ~ ''22003'' from agg.correction as k order by 1',
  $$
    values (
      'ACME', '5m', tstzmultirange(tstzrange('2025-07-01 00:30+00', '2025-07-01 00:35+00')), 1,
      timestamptz '2025-07-01 02:06+00', true
    )
  $$,
  'agg_run_due() keeps the window with its error and tries again after a minute'
);
select is(
  (select count(*) from public.data_agg_state as s where s.fail_streak > 0), 0::bigint, 'the task itself has not failed'
);

create temporary table try as
select
  t.n, public.agg_run_due(p_now => timestamptz '2025-07-01 02:05+00' + t.seconds * interval '1 second', p_time_budget => '0') ->> 'failed' as failed,
  (select k.retry_at - timestamptz '2025-07-01 02:05+00' from agg.correction as k) as retry_in
from unnest(array[59, 60, 179, 180]) with ordinality as t (seconds, n);
select results_eq(
  'select t.failed from try as t order by t.n', $$ values ('0'), ('1'), ('0'), ('1') $$,
  'agg_run_due() waits two minutes for the third try'
);
select results_eq(
  'select k.failures, k.retry_at from agg.correction as k order by 1', $$ values (3, timestamptz '2025-07-01 02:12+00') $$,
  'agg_run_due() waits twice as long again for the fourth'
);
select results_eq(
  'select a.kind, a.canonical_symbol, a.timeframe, a.raised_at, a.resolved_at from agg.alert as a order by 1',
  $$ values ('uncorrected', 'ACME', '5m', timestamptz '2025-07-01 02:08+00', null::timestamptz) $$,
  'agg_run_due() raises an alert with the third failure'
);

update public.data_bars as b set vol = 1 where b.vol > 1;
do $$
begin
  perform public.agg_run_due(p_now => '2025-07-01 02:09+00', p_time_budget => '0');
  perform public.agg_maintain(p_now => '2025-07-01 02:10+00');
end;
$$;
select is_empty(
  $$
    select d.ts_utc from public.derived_data_bars as d where d.high = 1
    union all
    select k.retry_at from agg.correction as k
  $$,
  'agg_run_due() corrects the window as soon as its data are fixed'
);
select results_eq(
  'select a.kind, a.resolved_at from agg.alert as a order by 1', $$ values ('uncorrected', timestamptz '2025-07-01 02:10+00') $$,
  'agg_maintain() resolves the alert'
);

select * from finish();
rollback;
