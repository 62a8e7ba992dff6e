comment on function public.agg_bootstrap_cursor is
'Starts a task over from its agg_start_utc, and the tasks that build from it.
Sets the cursor one interval before agg_start_utc and clears the failures. An unchanged bar is not written; a bar whose source bars are gone is soft-deleted. Only this, and a start moved back under a task that has decided nothing, move a cursor back.
Returns success, bootstrapped_cursor and will_start_at. Locks: waits for a dispatcher that holds the task. Raises no_data_found without a task.';

create function public.agg_bootstrap_cursor(p_symbol text, p_to_tf text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_task public.data_agg_state;
begin
  update public.data_agg_state as s
  set
    last_agg_bar_ts_utc = b.cursor_utc,
    built_to_utc = nullif(greatest(b.decided_to_utc, b.followed_to_utc), b.decided_to_utc),
    status = case when s.enabled then 'idle' else 'disabled' end,
    running_started_at_utc = null,
    fail_streak = 0,
    hard_fail_streak = 0,
    failing_since_utc = null,
    next_run_at = agg.first_run_at(
      b.cursor_utc, agg.due_at(b.cursor_utc, b.window_length, s.aggregation_delay_seconds, s.window_time_zone, s.window_origin),
      s.session_minutes, s.calendar
    ),
    updated_at = now()
  from (
    with recursive level as (
      select p_to_tf as timeframe
      union all
      select s.timeframe
      from level as l
      join public.data_agg_state as s on s.canonical_symbol = p_symbol and s.source_timeframe = l.timeframe and s.timeframe <> l.timeframe
    )
    select
      t.canonical_symbol, t.timeframe, t.followed_to_utc, t.window_length,
      c.cursor_utc, agg.window_end(c.cursor_utc, t.window_length, t.window_time_zone, t.window_origin) as decided_to_utc
    from agg.task as t
    cross join lateral (
      select agg.bootstrap_cursor(t.agg_start_utc, t.window_length, t.window_time_zone, t.window_origin) as cursor_utc
    ) as c
    where t.canonical_symbol = p_symbol and t.timeframe in (select l.timeframe from level as l)
    order by t.run_interval_minutes
    for update of t
  ) as b
  where s.canonical_symbol = b.canonical_symbol and s.timeframe = b.timeframe;
  select s.* into v_task
  from public.data_agg_state as s
  where s.canonical_symbol = p_symbol and s.timeframe = p_to_tf;
  if not found then
    perform agg.raise_no_task(p_symbol, p_to_tf);
  end if;
  return jsonb_build_object(
    'success', true,
    'bootstrapped_cursor', v_task.last_agg_bar_ts_utc,
    'will_start_at', agg.window_end(
      v_task.last_agg_bar_ts_utc, make_interval(mins => v_task.run_interval_minutes), v_task.window_time_zone, v_task.window_origin
    )
  );
end;
$$;
