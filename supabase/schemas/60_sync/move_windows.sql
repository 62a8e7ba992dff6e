comment on function agg.move_windows is
  'Gives tasks the windows that agg.task_changes wants and starts them over, as agg_bootstrap_cursor does. Bars from the start on that are no longer the start of a window are soft-deleted. The caller holds the rows of the tasks.';

create function agg.move_windows(p_changes agg.task_change[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_changes = '{}' then
    return;
  end if;

  -- Says to agg.keep_changed_bars who writes.
  perform set_config('pgbars.is_building_windows', 'on', true);
  with boundary as materialized (
    select c.canonical_symbol, c.timeframe, w.starts_utc
    from unnest(p_changes) as c
    cross join lateral (
      select min(d.ts_utc), max(d.ts_utc)
      from public.derived_data_bars as d
      where d.canonical_symbol = c.canonical_symbol and d.timeframe = c.timeframe
    ) as b (first_utc, last_utc)
    cross join lateral agg.windows_between(
      b.first_utc, b.last_utc + interval '1 microsecond', make_interval(mins => c.run_interval_minutes),
      c.window_time_zone, c.window_origin
    ) as w
  )
  update public.derived_data_bars as d
  set deleted_at = coalesce(d.deleted_at, now()), covered_minutes = 0, updated_at = greatest(now(), d.updated_at)
  from unnest(p_changes) as c
  where d.canonical_symbol = c.canonical_symbol and d.timeframe = c.timeframe
    -- What lies before the start could not be built again.
    and d.ts_utc >= c.agg_start_utc and (d.deleted_at is null or d.covered_minutes > 0)
    and not exists (
      select from boundary as b
      where b.canonical_symbol = d.canonical_symbol and b.timeframe = d.timeframe and b.starts_utc = d.ts_utc
    );
  perform set_config('pgbars.is_building_windows', 'off', true);

  -- Many tasks move alike, and stand alike.
  with moved as materialized (
    select
      c.canonical_symbol, c.timeframe, c.agg_start_utc, c.window_time_zone, c.window_origin, c.run_interval_minutes,
      t.aggregation_delay_seconds, t.followed_to_utc
    from unnest(p_changes) as c
    join agg.task as t on t.canonical_symbol = c.canonical_symbol and t.timeframe = c.timeframe
  ),
  first as materialized (
    select
      d.*, b.cursor_utc,
      agg.window_end(b.cursor_utc, l.length, d.window_time_zone, d.window_origin) as start_utc,
      -- No window that reaches beyond what was built: it may not have ended.
      agg.window_start(d.followed_to_utc, l.length, d.window_time_zone, d.window_origin) as built_to_utc,
      agg.due_at(b.cursor_utc, l.length, d.aggregation_delay_seconds, d.window_time_zone, d.window_origin) as due_at
    from (
      select distinct
        m.agg_start_utc, m.window_time_zone, m.window_origin, m.run_interval_minutes, m.aggregation_delay_seconds, m.followed_to_utc
      from moved as m
    ) as d
    cross join lateral (select make_interval(mins => d.run_interval_minutes)) as l (length)
    cross join lateral (
      select agg.bootstrap_cursor(d.agg_start_utc, l.length, d.window_time_zone, d.window_origin)
      offset 0
    ) as b (cursor_utc)
  )
  update public.data_agg_state as s
  set
    window_time_zone = m.window_time_zone,
    window_origin = m.window_origin,
    last_agg_bar_ts_utc = f.cursor_utc,
    built_to_utc = nullif(greatest(f.start_utc, f.built_to_utc), f.start_utc),
    status = 'idle',
    running_started_at_utc = null,
    fail_streak = 0,
    hard_fail_streak = 0,
    failing_since_utc = null,
    next_run_at = agg.first_run_at(f.cursor_utc, f.due_at, s.session_minutes, s.calendar),
    updated_at = now()
  from moved as m
  join first as f
    on f.agg_start_utc = m.agg_start_utc and f.run_interval_minutes = m.run_interval_minutes
    and f.aggregation_delay_seconds = m.aggregation_delay_seconds and f.followed_to_utc = m.followed_to_utc
    and f.window_time_zone is not distinct from m.window_time_zone and f.window_origin = m.window_origin
  where s.canonical_symbol = m.canonical_symbol and s.timeframe = m.timeframe;
end;
$$;
