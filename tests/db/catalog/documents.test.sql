begin;
select plan(11);

-- Names, order and types of the parameters as the documents give them. More parameters may follow, all with defaults.
create temporary table documented (function_name text, names text[], types regtype[]);
insert into documented values
  ('sync_agg_state_from_registry', '{p_env,p_default_start_utc}', '{text,timestamptz}'),
  ('agg_bootstrap_cursor', '{p_symbol,p_to_tf}', '{text,text}'),
  ('aggregate_1m_to_5m_window', '{p_symbol,p_from_utc,p_to_utc,p_derivation_version}', '{text,timestamptz,timestamptz,integer}'),
  ('aggregate_5m_to_1h_window', '{p_symbol,p_from_utc,p_to_utc,p_derivation_version}', '{text,timestamptz,timestamptz,integer}'),
  (
    'catchup_aggregation_range',
    '{p_symbol,p_to_tf,p_start_cursor_utc,p_max_windows,p_until_utc,p_derivation_version,p_stop_on_zero_source}',
    '{text,text,timestamptz,integer,timestamptz,integer,boolean}'
  ),
  ('agg_get_due_tasks', '{p_env_name,p_limit}', '{text,integer}'),
  ('agg_start', '{p_symbol,p_tf}', '{text,text}'),
  (
    'agg_finish', '{p_symbol,p_tf,p_success,p_new_cursor_utc,p_stats,p_fail_kind,p_error}',
    '{text,text,boolean,timestamptz,jsonb,text,text}'
  ),
  ('calc_dxy_range_1m', '{p_from_utc,p_to_utc,p_derivation_version}', '{timestamptz,timestamptz,integer}');
select is_empty(
  $$
    select d.function_name
    from documented as d
    left join pg_catalog.pg_proc as p on p.proname = d.function_name and p.pronamespace = 'public'::regnamespace
    where (p.proargnames[:cardinality(d.names)] = d.names) is not true
      or (p.proargtypes::oid[])[0:cardinality(d.names) - 1]::regtype[] <> d.types
      or p.pronargs - p.pronargdefaults > cardinality(d.names)
  $$,
  'the functions of the documents have the parameters of the documents'
);
select is(
  (select pg_get_function_result('public.agg_get_due_tasks'::regproc)),
  'TABLE(canonical_symbol text, timeframe text, source_timeframe text, last_agg_bar_ts_utc timestamp with time zone, '
    'run_interval_minutes integer, aggregation_delay_seconds integer, is_mandatory boolean, task_priority integer)',
  'agg_get_due_tasks() returns the columns of the documents'
);

-- Each call as the documents write it.
delete from public.core_asset_registry_all;
delete from public.data_agg_state;
insert into public.core_asset_registry_all (canonical_symbol, active) values ('EURUSD', true);
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('DXY', true, '{"is_synthetic": true, "derivation_method": "calc_dxy_range_1m"}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select p.symbol, timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from unnest(array['EURUSD', 'USDJPY', 'GBPUSD', 'USDCAD', 'USDSEK', 'USDCHF']) as p (symbol)
cross join generate_series(0, 59) as m (n);

select ok(
  public.sync_agg_state_from_registry(p_env => 'prod', p_default_start_utc => '2025-07-01T00:00:00Z')
    @> '{"success": true, "inserted_or_updated": 0, "disabled": 0, "default_start_utc": "2025-07-01T00:00:00+00:00"}',
  'sync_agg_state_from_registry()'
);
select ok(
  public.agg_bootstrap_cursor('EURUSD', '5m')
    @> '{"success": true, "bootstrapped_cursor": "2025-06-30T23:55:00+00:00", "will_start_at": "2025-07-01T00:00:00+00:00"}',
  'agg_bootstrap_cursor()'
);
select ok(
  public.calc_dxy_range_1m(p_from_utc => '2025-07-01 00:00+00', p_to_utc => '2025-07-01 01:00+00', p_derivation_version => 1)
    @> '{"success": true, "inserted": 60, "updated": 0, "skipped_incomplete": 0, "derivation_version": 1,
      "timestamp_range": {"from": "2025-07-01T00:00:00+00:00", "to": "2025-07-01T01:00:00+00:00"}}',
  'calc_dxy_range_1m()'
);
select ok(
  public.aggregate_1m_to_5m_window('EURUSD', '2025-07-01 00:00:00+00'::timestamptz, '2025-07-01 00:05:00+00'::timestamptz, 1)
    @> '{"success": true, "stored": true, "source_count": 5, "quality_score": 2}',
  'aggregate_1m_to_5m_window()'
);
select ok(
  public.catchup_aggregation_range('EURUSD', '5m', '2025-06-30 23:55:00+00'::timestamptz, 12, '2025-07-02 00:00+00', 1, true)
    @> '{"success": true, "windows_processed": 12, "bars_created": 12, "bars_quality_poor": 0, "agg_start_enforced": "2025-07-01T00:00:00+00:00"}',
  'catchup_aggregation_range()'
);
select is(
  (select count(*) from public.agg_get_due_tasks(p_env_name => 'prod', p_limit => 3)), 3::bigint, 'agg_get_due_tasks()'
);
select lives_ok($$ select public.agg_start(p_symbol => 'EURUSD', p_tf => '5m') $$, 'agg_start()');
select ok(
  public.agg_finish(
    p_symbol => 'EURUSD', p_tf => '5m', p_success => true, p_new_cursor_utc => '2025-07-01T00:55:00+00:00',
    p_stats => '{"bars_created": 12, "bars_quality_poor": 0}', p_fail_kind => null, p_error => null
  ) is not null,
  'agg_finish()'
);
select ok(
  public.aggregate_5m_to_1h_window(
    p_symbol => 'EURUSD', p_from_utc => '2025-07-01 00:00+00', p_to_utc => '2025-07-01 01:00+00', p_derivation_version => 1
  ) @> '{"success": true, "stored": true, "source_count": 12, "quality_score": 2}',
  'aggregate_5m_to_1h_window()'
);

select * from finish();
rollback;
