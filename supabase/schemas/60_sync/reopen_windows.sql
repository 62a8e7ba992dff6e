comment on function agg.reopen_windows is
'Moves the cursors of tasks back to now where they lie ahead of it: windows were decided because the market was closed in them, and other hours say otherwise. The caller holds the registry.';

create function agg.reopen_windows(p_changes agg.changed_span[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  update public.data_agg_state as s
  set last_agg_bar_ts_utc = n.cursor_utc, next_run_at = least(s.next_run_at, n.due_at), updated_at = now()
  from unnest(p_changes) as c
  join agg.task as t on t.canonical_symbol = c.canonical_symbol and t.timeframe = c.timeframe
  cross join lateral (
    select agg.bootstrap_cursor(
      agg.window_start(
        now() - make_interval(secs => t.aggregation_delay_seconds), t.window_length, t.window_time_zone, t.window_origin
      ),
      t.window_length, t.window_time_zone, t.window_origin
    )
  ) as b (cursor_utc)
  cross join lateral (
    select
      b.cursor_utc,
      agg.due_at(b.cursor_utc, t.window_length, t.aggregation_delay_seconds, t.window_time_zone, t.window_origin) as due_at
  ) as n
  where s.canonical_symbol = t.canonical_symbol and s.timeframe = t.timeframe and t.last_agg_bar_ts_utc > n.cursor_utc;
end;
$$;
