begin;
select plan(3);

-- Only a sync changes tasks here, as in a deployment that was there before the triggers.
alter table public.core_asset_registry_all disable trigger user;
delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active) values ('ACME', true);
create function pg_temp.start_at(p_start text) returns text
language plpgsql as $$
begin
  update public.core_asset_registry_all as r set metadata = jsonb_build_object('agg', jsonb_build_object('start_utc', p_start))
  where r.canonical_symbol = 'ACME';
  perform public.sync_agg_state_from_registry();
  return (select to_char(s.last_agg_bar_ts_utc, 'MM-DD HH24:MI') from public.data_agg_state as s where s.timeframe = '5m');
end;
$$;

select is(pg_temp.start_at('2025-07-02T00:00:00Z'), '07-01 23:55', 'the task is to begin on the second for this test');
select is(
  pg_temp.start_at('2025-07-01T00:00:00Z'), '06-30 23:55',
  'sync_agg_state_from_registry() lets a task that has decided nothing begin at its earlier start'
);
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from generate_series(0, 4) as m (n);
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 00:10+00'); end; $$;
select is(
  pg_temp.start_at('2025-06-30T00:00:00Z'), '07-01 00:00', 'sync_agg_state_from_registry() keeps the cursor of one that has decided something'
);

select * from finish();
rollback;
