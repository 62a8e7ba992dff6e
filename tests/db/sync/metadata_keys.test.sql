begin;
select plan(5);

-- Without the triggers of the registry, so that only a sync changes tasks.
alter table public.core_asset_registry_all disable trigger user;
call tests.clear();
insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values
  ('PLAIN', true, '{}'),
  ('SWITCHED_OFF', true, '{"agg": {"enabled": false}}'),
  ('SWITCHED_ON', true, '{"agg": {"enabled": true}}'),
  ('STARTED', true, '{"agg": {"start_utc": "2025-03-01T12:00:00+02:00"}}'),
  ('OPTIONAL', true, '{"agg": {"optional": ["15m"]}}'),
  ('MANDATORY', true, '{"agg": {"mandatory": ["4h"], "optional": ["15m", "4h"]}}');
do $$ begin perform public.sync_agg_state_from_registry('prod', '2025-06-01 00:00+00'); end; $$;

select results_eq(
  $$
    select s.canonical_symbol, string_agg(s.timeframe || case when s.is_mandatory then '!' else '' end, ' ' order by s.run_interval_minutes)
    from public.data_agg_state as s
    where s.enabled
    group by 1
    order by 1
  $$,
  $$
    values
      ('MANDATORY', '5m! 15m 1h! 4h!'), ('OPTIONAL', '5m! 15m 1h!'), ('PLAIN', '5m! 1h!'), ('STARTED', '5m! 1h!'),
      ('SWITCHED_ON', '5m! 1h!')
  $$,
  'sync_agg_state_from_registry() follows metadata.agg.enabled, mandatory and optional'
);
select results_eq(
  $$
    select s.canonical_symbol, s.agg_start_utc
    from public.data_agg_state as s
    where s.timeframe = '5m' and s.canonical_symbol in ('PLAIN', 'STARTED')
    order by 1
  $$,
  $$ values ('PLAIN', timestamptz '2025-06-01 00:00+00'), ('STARTED', '2025-03-01 10:00+00') $$,
  'sync_agg_state_from_registry() starts at metadata.agg.start_utc, otherwise at p_default_start_utc'
);
select results_eq(
  $$
    select distinct s.timeframe, s.source_timeframe, s.run_interval_minutes, s.aggregation_delay_seconds
    from public.data_agg_state as s
    order by 3
  $$,
  $$ values ('5m', '1m', 5, 300), ('15m', '5m', 15, 300), ('1h', '5m', 60, 300), ('4h', '1h', 240, 300) $$,
  'sync_agg_state_from_registry() takes source and length from agg.timeframe'
);

update public.core_asset_registry_all as r set metadata = '{"agg": {"enabled": false}}' where r.canonical_symbol = 'SWITCHED_ON';
update public.core_asset_registry_all as r set metadata = '{}' where r.canonical_symbol in ('OPTIONAL', 'STARTED');
do $$ begin perform public.sync_agg_state_from_registry('prod', '2025-09-01 00:00+00'); end; $$;
select results_eq(
  $$
    select s.canonical_symbol, s.timeframe, s.status
    from public.data_agg_state as s
    where not s.enabled
    order by 1, 2
  $$,
  $$ values ('OPTIONAL', '15m', 'disabled'), ('SWITCHED_ON', '1h', 'disabled'), ('SWITCHED_ON', '5m', 'disabled') $$,
  'sync_agg_state_from_registry() switches off what the metadata no longer asks for'
);
select is(
  (select s.agg_start_utc from public.data_agg_state as s where s.canonical_symbol = 'STARTED' and s.timeframe = '5m'),
  timestamptz '2025-03-01 10:00+00',
  'sync_agg_state_from_registry() gives p_default_start_utc to new tasks alone'
);

select * from finish();
rollback;
