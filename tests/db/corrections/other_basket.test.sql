begin;
select plan(5);

-- Only a sync changes tasks here, as in a deployment that was there before the triggers.
alter table public.core_asset_registry_all disable trigger user;
delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values
  ('A', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}'),
  (
    'AA', true,
    '{
      "agg": {"start_utc": "2025-07-01T00:00:00Z"},
      "is_synthetic": true, "components": ["A"], "component_weights": {"A": 1}, "formula_base": 2
    }'
  );
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'A', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 3, 3, 3, 3 from generate_series(0, 119) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 03:00+00'); end; $$;
create function pg_temp.closes() returns text
language sql as $$
  select string_agg(distinct format('%s %s', b.timeframe, b.close), ', ')
  from (
    select d.timeframe, d.close from public.data_bars as d where d.canonical_symbol = 'AA'
    union all
    select d.timeframe, d.close from public.derived_data_bars as d where d.canonical_symbol = 'AA'
  ) as b
$$;
select is(pg_temp.closes(), '1h 6, 1m 6, 5m 6', 'agg_run_due() computes the basket of the registry');

update public.core_asset_registry_all as r set metadata = jsonb_set(r.metadata, '{component_weights,A}', '2')
where r.canonical_symbol = 'AA';
select is(
  public.sync_agg_state_from_registry() -> 'updated', '1',
  'sync_agg_state_from_registry() sees that a basket has other weights'
);
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 03:00+00'); end; $$;
select is(pg_temp.closes(), '1h 18, 1m 18, 5m 18', 'agg_run_due() computes the whole series again, through every level');
select is_empty('select * from public.agg_verify()', 'agg_verify() finds nothing left of the old basket');
select is(
  public.sync_agg_state_from_registry() -> 'updated', '0',
  'sync_agg_state_from_registry() takes an unchanged basket for unchanged'
);

select * from finish();
rollback;
