comment on function agg.move_windows is
  'Gives tasks the windows that agg.task_changes wants and starts them over, as agg_bootstrap_cursor does. Bars that are no longer the start of a window are soft-deleted. The caller holds the rows of the tasks.';

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

  with moved as materialized (
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
  set deleted_at = coalesce(d.deleted_at, now()), covered_minutes = 0, updated_at = now()
  from unnest(p_changes) as c
  where d.canonical_symbol = c.canonical_symbol and d.timeframe = c.timeframe
    and (d.deleted_at is null or d.covered_minutes > 0)
    and not exists (
      select from moved as m
      where m.canonical_symbol = d.canonical_symbol and m.timeframe = d.timeframe and m.starts_utc = d.ts_utc
    );

  update public.data_agg_state as s
  set
    window_time_zone = c.window_time_zone,
    window_origin = c.window_origin,
    last_agg_bar_ts_utc = n.cursor_utc,
    built_to_utc = nullif(greatest(n.start_utc, n.built_to_utc), n.start_utc),
    status = 'idle',
    running_started_at_utc = null,
    fail_streak = 0,
    hard_fail_streak = 0,
    failing_since_utc = null,
    next_run_at = agg.due_at(n.cursor_utc, n.length, s.aggregation_delay_seconds, c.window_time_zone, c.window_origin),
    updated_at = now()
  from unnest(p_changes) as c
  join agg.task as t on t.canonical_symbol = c.canonical_symbol and t.timeframe = c.timeframe
  cross join lateral (select make_interval(mins => c.run_interval_minutes)) as l (length)
  cross join lateral (
    select agg.bootstrap_cursor(c.agg_start_utc, l.length, c.window_time_zone, c.window_origin)
  ) as b (cursor_utc)
  cross join lateral (
    select
      l.length, b.cursor_utc,
      agg.window_end(b.cursor_utc, l.length, c.window_time_zone, c.window_origin) as start_utc,
      -- No window that reaches beyond what was built: it may not have ended.
      agg.window_start(t.followed_to_utc, l.length, c.window_time_zone, c.window_origin) as built_to_utc
  ) as n
  where s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe;
end;
$$;
