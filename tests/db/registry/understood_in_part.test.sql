begin;
select plan(10);

-- What an older or a newer deployment has left in the registry: the triggers have not seen it.
alter table public.core_asset_registry_all disable trigger user;
delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values
  ('AGG', true, '{"agg": "5m"}'),
  ('BASE', true, '{"is_synthetic": true, "components": ["A"], "component_weights": {"A": 1}}'),
  ('ENABLED', true, '{"agg": {"enabled": "maybe"}}'),
  ('FLAG', true, '{"is_synthetic": "true"}'),
  ('GRADE', true, '{"agg": {"quality": {"good": 90, "fair": 70}}}'),
  ('HOLIDAYS', true, '{"agg": {"session": {"time_zone": "UTC", "holidays": [], "weekly": [{"open": "Mon 09:30", "close": "Mon 16:00"}]}}}'),
  ('LIST', true, '{"agg": {"optional": ["15m", "3h", 5]}}'),
  ('MAP', true, '{"agg": {"optional": {"15m": false}}}'),
  ('NEW_KEY', true, '{"agg": {"colour": "red", "optional": ["15m"], "start_utc": "2025-08-01T00:00:00Z"}}'),
  ('POOR', true, '{"agg": {"quality": {"poor": 0}}}'),
  ('SESSION', true, '{"agg": {"session": "forex"}}'),
  ('START', true, '{"agg": {"start_utc": "2015"}}'),
  ('WORDS', true, '{"agg": {"optional": "15m"}}');
create temporary table run as select public.agg_maintain('prod', '2025-09-01 00:00+00') as result;

select results_eq(
  $$
    select f.item ->> 'canonical_symbol', f.item ->> 'leaves_out'
    from run as y
    cross join lateral jsonb_array_elements(y.result -> 'sync' -> 'refused') as f (item)
    order by 1
  $$,
  $$
    values
      ('AGG', 'key'), ('BASE', 'series'), ('ENABLED', 'asset'), ('FLAG', 'series'), ('GRADE', 'key'), ('HOLIDAYS', 'key'), ('LIST', 'key'),
      ('MAP', 'key'), ('NEW_KEY', 'key'), ('POOR', 'asset'), ('SESSION', 'asset'), ('START', 'key'), ('WORDS', 'key')
  $$,
  'a sync says what it leaves out of each asset'
);
select results_eq(
  $$
    select s.canonical_symbol, string_agg(s.timeframe, ' ' order by s.run_interval_minutes)
    from public.data_agg_state as s
    where s.enabled
    group by 1
    order by 1
  $$,
  $$
    values
      ('AGG', '5m 1h'), ('BASE', '5m 1h'), ('FLAG', '5m 1h'), ('GRADE', '5m 1h'), ('HOLIDAYS', '5m 1h'), ('LIST', '5m 15m 1h'), ('MAP', '5m 1h'),
      ('NEW_KEY', '5m 15m 1h'), ('START', '5m 1h'), ('WORDS', '5m 15m 1h')
  $$,
  'and builds the rest'
);
select results_eq(
  $$
    select s.canonical_symbol, s.agg_start_utc, s.good_percent, s.session_time_zone
    from public.data_agg_state as s
    where s.timeframe = '5m' and s.canonical_symbol in ('GRADE', 'HOLIDAYS', 'NEW_KEY', 'START')
    order by 1
  $$,
  $$
    values
      ('GRADE', timestamptz '2025-07-01 00:00+00', 90::smallint, null), ('HOLIDAYS', '2025-07-01 00:00+00', 80::smallint, 'UTC'),
      ('NEW_KEY', '2025-08-01 00:00+00', 80::smallint, null), ('START', '2025-07-01 00:00+00', 80::smallint, null)
  $$,
  'with what it understands of them'
);
select results_eq(
  $$ select a.canonical_symbol from agg.alert as a where a.kind = 'metadata' and a.timeframe = '*' and a.resolved_at is null order by 1 $$,
  $$ select r.canonical_symbol from public.core_asset_registry_all as r order by 1 $$,
  'each of them has an alert'
);
select is(
  (select a.message from agg.alert as a where a.canonical_symbol = 'NEW_KEY' and a.kind = 'metadata'),
  'agg.colour is not known; known are enabled, start_utc, mandatory, optional, session, calendar, day_close, quality, sparse, keep, revisions, max_silence (left out: key)',
  'which says what is wrong and what is left out'
);
select is(
  (select r.result -> 'sync' -> 'inserted' from run as r), '23', 'a sync counts the tasks that it makes'
);
select is(
  public.sync_agg_state_from_registry() -> 'inserted_or_updated', '0', 'and repeating it changes nothing'
);

-- Tasks that were there before the metadata became unreadable.
update public.core_asset_registry_all as r
set metadata = '{"is_synthetic": true, "components": ["A"], "component_weights": {"A": 1}, "formula_base": 1}'
where r.canonical_symbol = 'BASE';
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
update public.core_asset_registry_all as r
set metadata = case r.canonical_symbol
  when 'BASE' then r.metadata || '{"formula_base": "1"}'
  when 'NEW_KEY' then '{"agg": {"session": "forex"}}'
end
where r.canonical_symbol in ('BASE', 'NEW_KEY');
select is(
  public.sync_agg_state_from_registry() - 'refused' - 'env' - 'default_start_utc',
  '{"success": true, "inserted": 0, "updated": 0, "reenabled": 0, "disabled": 0, "inserted_or_updated": 0, "symbols": []}',
  'tasks that are left out stay as they are'
);
update public.core_asset_registry_all as r set active = false where r.canonical_symbol in ('BASE', 'NEW_KEY');
select is(
  public.sync_agg_state_from_registry() -> 'disabled', '6', 'but are switched off with their asset'
);
update public.core_asset_registry_all as r set metadata = '{}';
do $$ begin perform public.agg_maintain('prod', '2025-09-01 00:05+00'); end; $$;
select is_empty($$ select a.* from agg.alert as a where a.kind = 'metadata' and a.resolved_at is null $$, 'alerts end with their causes');

select * from finish();
rollback;
