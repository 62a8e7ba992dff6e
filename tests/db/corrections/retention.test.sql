begin;
select plan(4);

delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from generate_series(0, 2 * 1440 - 1) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-03 01:00+00'); end; $$;
create function pg_temp.bars(p_day date) returns text
language sql as $$
  select string_agg(format('%s %s', b.timeframe, b.bars), ', ' order by b.timeframe)
  from (
    select d.timeframe, count(*) filter (where d.deleted_at is null) as bars
    from public.derived_data_bars as d
    where d.ts_utc >= p_day and d.ts_utc < p_day + 1
    group by d.timeframe
  ) as b
$$;

update public.core_asset_registry_all as r set metadata = '{"agg": {"start_utc": "2025-07-02T00:00:00Z"}}'
where r.canonical_symbol = 'ACME';
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
delete from public.data_bars as b where b.ts_utc < '2025-07-02 00:00+00';
do $$ begin perform public.agg_run_due(p_now => '2025-07-03 01:00+00'); end; $$;
select is(pg_temp.bars('2025-07-01'), '1h 24, 5m 288', 'agg_run_due() leaves the bars before a start that was moved on, when their minutes go');
select is(pg_temp.bars('2025-07-02'), '1h 24, 5m 288', 'agg_run_due() keeps the bars behind it');
select is_empty('select from agg.change_note union all select from agg.correction', 'agg_run_due() leaves nothing waiting');

delete from public.data_bars as b where b.ts_utc < '2025-07-02 02:00+00';
do $$ begin perform public.agg_run_due(p_now => '2025-07-03 01:00+00'); end; $$;
select is(pg_temp.bars('2025-07-02'), '1h 22, 5m 264', 'agg_run_due() takes away bars behind the start when their minutes go');

select * from finish();
rollback;
