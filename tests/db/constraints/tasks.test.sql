begin;
select plan(5);

create function pg_temp.violated(p_row jsonb) returns text
language plpgsql as $$
declare
  v_constraint text;
begin
  execute (
    select format(
      'insert into public.data_agg_state (%1$s) select %1$s from jsonb_populate_record(null::public.data_agg_state, $1)',
      string_agg(quote_ident(a.attname), ', ')
    )
    from pg_catalog.pg_attribute as a
    where a.attrelid = 'public.data_agg_state'::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  ) using p_row;
  return 'none';
exception when check_violation or foreign_key_violation then
  get stacked diagnostics v_constraint = constraint_name;
  return v_constraint;
when others then
  return sqlerrm;
end;
$$;

-- A task as the sync makes it; the trials change one field each.
call tests.add_asset('ACME', '{"session": {"time_zone": "UTC", "weekly": [{"open": "Mon 09:30", "close": "Mon 16:00"}]}}');
create temporary table good as
select to_jsonb(s) as fields from public.data_agg_state as s where s.canonical_symbol = 'ACME' and s.timeframe = '5m';

create temporary table trial (constraint_name text, bad jsonb, good jsonb);
insert into trial (constraint_name, bad, good) values
  ('data_agg_state_status_check', '{"status": "paused"}', '{"status": "hard_failed"}'),
  ('data_agg_state_running_has_start', '{"status": "running"}', '{"status": "running", "running_started_at_utc": "2025-07-01T00:00:00Z"}'),
  ('data_agg_state_interval_positive', '{"run_interval_minutes": 0}', '{"run_interval_minutes": 1}'),
  ('data_agg_state_delay_not_negative', '{"aggregation_delay_seconds": -1}', '{"aggregation_delay_seconds": 0}'),
  ('data_agg_state_cursor_aligned', '{"last_agg_bar_ts_utc": "2025-07-01T00:01:00Z"}', '{"last_agg_bar_ts_utc": "2025-07-01T00:05:00Z"}'),
  ('data_agg_state_cursor_aligned', '{"last_agg_bar_ts_utc": "2025-07-01T00:05:00Z", "run_interval_minutes": 60}',
    '{"last_agg_bar_ts_utc": "2025-07-01T01:00:00Z", "run_interval_minutes": 60}'),
  ('data_agg_state_percents_check', '{"poor_percent": -1}', '{"poor_percent": 0}'),
  ('data_agg_state_cursor_aligned', '{"last_agg_bar_ts_utc": "2025-07-01T00:00:00Z", "window_origin": "2000-01-03T00:01:00"}',
    '{"last_agg_bar_ts_utc": "2025-07-01T00:01:00Z", "window_origin": "2000-01-03T00:01:00"}'),
  ('data_agg_state_percents_check', '{"poor_percent": 81}', '{"poor_percent": 80}'),
  ('data_agg_state_percents_check', '{"good_percent": 101}', '{"good_percent": 100}'),
  ('data_agg_state_session_check', '{"session_time_zone": null}', '{"session_time_zone": null, "session_minutes": null}'),
  ('data_agg_state_session_check', '{"session_minutes": null}', '{"session_minutes": "{}"}'),
  ('data_agg_state_streaks_check', '{"hard_fail_streak": 1}', '{"hard_fail_streak": 1, "fail_streak": 1}'),
  ('data_agg_state_streaks_check', '{"hard_fail_streak": -1}', '{"hard_fail_streak": 0, "fail_streak": 5}'),
  ('data_agg_state_counts_check', '{"total_runs": 1000000000000001}', '{"total_runs": 1000000000000000}'),
  ('data_agg_state_counts_check', '{"total_bars_created": 9223372036854775807}', '{"total_bars_created": 0}'),
  ('data_agg_state_counts_check', '{"total_bars_quality_poor": -1}', '{"total_bars_quality_poor": 1}'),
  ('data_agg_state_counts_check', '{"fail_streak": 1000002}', '{"fail_streak": 1000001}'),
  ('data_agg_state_timeframe_check', '{"timeframe": "7"}', '{"timeframe": "1m"}'),
  ('data_agg_state_source_timeframe_check', '{"source_timeframe": "5min"}', '{"source_timeframe": "5m"}');

create temporary table outcome as
select
  t.constraint_name, t.bad, t.good,
  pg_temp.violated(g.fields || t.bad || jsonb_build_object('canonical_symbol', 'BAD' || t.n)) as bad_violates,
  pg_temp.violated(g.fields || t.good || jsonb_build_object('canonical_symbol', 'GOOD' || t.n)) as good_violates
from (select k.*, row_number() over () as n from trial as k) as t
cross join good as g;

select is_empty(
  $$ select o.constraint_name, o.bad, o.bad_violates from outcome as o where o.bad_violates <> o.constraint_name $$,
  'every bad task is refused with the name of its constraint'
);
select is_empty(
  $$ select o.constraint_name, o.good, o.good_violates from outcome as o where o.good_violates <> 'none' $$,
  'the good neighbour of every bad task passes'
);
select bag_eq(
  $$
    select distinct c.conname::text
    from pg_catalog.pg_constraint as c
    where c.conrelid = 'public.data_agg_state'::regclass and c.contype in ('c', 'f')
  $$,
  'select distinct o.constraint_name from outcome as o',
  'every check and reference of data_agg_state is tried'
);
select throws_ok(
  $$ insert into public.core_asset_registry_all (canonical_symbol) values (' ACME') $$, '23514', null,
  'core_asset_registry_all refuses a symbol with blanks around it'
);
select throws_ok(
  $$ insert into public.core_asset_registry_all (canonical_symbol, metadata) values ('NEW', '[]') $$, '23514', null,
  'core_asset_registry_all refuses metadata that is not an object'
);

select * from finish();
rollback;
