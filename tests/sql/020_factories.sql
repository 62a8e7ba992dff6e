-- Procedures that prepare state. A call prints no row, neither in TAP nor in the output of an isolation spec.

-- Empties the registry (DXY included), tasks, bars, revisions, notes, corrections, alerts and the run log.
create procedure tests.clear()
language sql as $$
  truncate public.core_asset_registry_all, public.data_agg_state, public.data_bars, public.derived_data_bars, public.derived_data_bars_revision;
  -- Last, since the truncation of data_bars leaves a note.
  truncate agg.change_note, agg.correction, agg.alert, agg.alert_target, agg.delivery, agg.allowed_silence, agg.run_log, agg.run_total, agg.floor,
    agg.revision_floor, agg.queue restart identity;
$$;

-- Registers an active asset that starts on 1 July 2025; p_agg adds keys to metadata.agg or replaces the start.
create procedure tests.add_asset(p_symbol text, p_agg jsonb default '{}')
language sql as $$
  insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
  values (p_symbol, true, jsonb_build_object('agg', '{"start_utc": "2025-07-01T00:00:00Z"}'::jsonb || p_agg));
$$;

-- Registers an active synthetic series: p_weights maps its components to their weights.
create procedure tests.add_basket(p_symbol text, p_weights jsonb, p_base numeric default 1, p_metadata jsonb default '{}')
language sql as $$
  insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
  select
    p_symbol, true,
    jsonb_build_object(
      'agg', '{"start_utc": "2025-07-01T00:00:00Z"}'::jsonb, 'is_synthetic', true,
      'components', jsonb_agg(k.component), 'component_weights', p_weights, 'formula_base', p_base
    ) || p_metadata
  from jsonb_object_keys(p_weights) as k (component);
$$;

-- Sets one field of the metadata of an asset, such as '{agg,quality,good}'.
create procedure tests.set_metadata(p_symbol text, p_path text[], p_value jsonb)
language sql as $$
  update public.core_asset_registry_all as r set metadata = jsonb_set(r.metadata, p_path, p_value) where r.canonical_symbol = p_symbol;
$$;

-- Inserts the minutes of a symbol from p_from up to p_to, without p_to and p_without. They are flat but for p_high.
create procedure tests.add_minutes(
  p_symbol text,
  p_from timestamptz,
  p_to timestamptz,
  p_price double precision default 1,
  p_high double precision default null,
  p_vol double precision default null,
  p_without timestamptz[] default '{}'
)
language sql as $$
  insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
  select p_symbol, m.ts_utc, p_price, coalesce(p_high, p_price), p_price, p_price, p_vol
  from generate_series(p_from, p_to - interval '1 minute', interval '1 minute') as m (ts_utc)
  where m.ts_utc <> all (p_without);
$$;

-- Inserts one flat minute of a symbol.
create procedure tests.add_minute(p_symbol text, p_ts_utc timestamptz, p_price double precision default 1)
language sql as $$
  call tests.add_minutes(p_symbol, p_ts_utc, p_ts_utc + interval '1 minute', p_price);
$$;

-- The six components of DXY.
create function tests.rates() returns text[]
language sql immutable as $$ select array['EURUSD', 'USDJPY', 'GBPUSD', 'USDCAD', 'USDSEK', 'USDCHF'] $$;

-- Inserts the minutes of every component of DXY from p_from up to p_to, all prices 1: the index is then 50.14348112.
create procedure tests.add_rates(p_from timestamptz, p_to timestamptz)
language sql as $$
  insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
  select r.symbol, m.ts_utc, 1, 1, 1, 1
  from unnest(tests.rates()) as r (symbol)
  cross join generate_series(p_from, p_to - interval '1 minute', interval '1 minute') as m (ts_utc);
$$;

-- Runs the dispatcher at p_now until nothing is left to do.
create procedure tests.run(p_now timestamptz)
language plpgsql as $$
begin
  perform public.agg_run_due(p_now => p_now);
end;
$$;

-- Runs one batch of the dispatcher at p_now, of at most p_batch_windows windows.
create procedure tests.run_batch(p_now timestamptz, p_batch_windows integer)
language plpgsql as $$
begin
  perform agg.run_batch(p_now => p_now, p_batch_windows => p_batch_windows);
end;
$$;

-- Works as an outside worker at p_now: claims the task, builds, stores its cursor. Returns what the build returned.
create function tests.work(p_symbol text, p_timeframe text, p_now timestamptz, p_max_windows integer default 1000) returns jsonb
language plpgsql as $$
declare
  v_claimed_at timestamptz := public.agg_start(p_symbol, p_timeframe, p_now) ->> 'claimed_at';
  v_built jsonb := public.catchup_aggregation_range(p_symbol, p_timeframe, null, p_max_windows, p_now);
begin
  perform public.agg_finish(
    p_symbol, p_timeframe, true, (v_built ->> 'new_cursor')::timestamptz, v_built, p_now => p_now, p_claimed_at => v_claimed_at
  );
  return v_built;
end;
$$;

-- Lets an outside worker claim the task at p_now and fail hard, three times in a row: hard_failed, or disabled when optional.
create procedure tests.fail_three_times(p_symbol text, p_timeframe text, p_now timestamptz default now())
language plpgsql as $$
begin
  for v_try in 1..3 loop
    perform public.agg_start(p_symbol, p_timeframe, p_now);
    perform public.agg_finish(p_symbol, p_timeframe, false, p_fail_kind => 'hard', p_error => 'broken', p_now => p_now);
  end loop;
end;
$$;
