comment on function agg.apply_task_changes is
  'Stores what agg.task_changes found, in the order of keys. Keeps delays and priorities, and cursors but for a task whose windows begin elsewhere: that starts over. New rules become corrections of what is decided, which wait until nothing else does (agg.correction.is_backfill). Locks the task rows it changes. Where it makes tasks, it waits for a dispatcher that has read change notes, and others wait for it.';

create function agg.apply_task_changes(p_changes agg.task_change[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_custom_plan
as $$
declare
  v_new_rules constant agg.changed_span[] := array(
    select (c.canonical_symbol, c.timeframe, c.changed_spans, now(), 0)::agg.changed_span
    from unnest(p_changes) as c
    where c.changed_spans is not null
  );
begin
  -- A dispatcher that reads notes before this transaction ends does not see the tasks that it makes.
  if exists (select from unnest(p_changes) as c where c.action = 'insert') then
    perform pg_advisory_xact_lock(agg.new_tasks_key());
  end if;

  -- Many tasks begin alike.
  with first as materialized (
    select
      d.*, b.cursor_utc,
      agg.due_at(b.cursor_utc, l.length, d.aggregation_delay_seconds, d.window_time_zone, d.window_origin) as due_at
    from (
      select distinct c.agg_start_utc, c.run_interval_minutes, c.aggregation_delay_seconds, c.window_time_zone, c.window_origin
      from unnest(p_changes) as c
      where c.action <> 'disable'
    ) as d
    cross join lateral (select make_interval(mins => d.run_interval_minutes)) as l (length)
    cross join lateral (
      select agg.bootstrap_cursor(d.agg_start_utc, l.length, d.window_time_zone, d.window_origin)
      offset 0
    ) as b (cursor_utc)
  )
  insert into public.data_agg_state as s (
    canonical_symbol, timeframe, source_timeframe, run_interval_minutes, aggregation_delay_seconds, is_mandatory,
    agg_start_utc, last_agg_bar_ts_utc, next_run_at,
    good_percent, poor_percent, session_time_zone, session_minutes, basket, calendar, window_time_zone, window_origin
  )
  select
    c.canonical_symbol, c.timeframe, c.source_timeframe, c.run_interval_minutes, c.aggregation_delay_seconds, c.is_mandatory,
    c.agg_start_utc, f.cursor_utc, agg.first_run_at(f.cursor_utc, f.due_at, c.session_minutes, c.calendar),
    c.good_percent, c.poor_percent, c.session_time_zone, c.session_minutes, c.basket, c.calendar, c.window_time_zone, c.window_origin
  from unnest(p_changes) as c
  join first as f
    on f.agg_start_utc = c.agg_start_utc and f.run_interval_minutes = c.run_interval_minutes
    and f.aggregation_delay_seconds = c.aggregation_delay_seconds
    and f.window_time_zone is not distinct from c.window_time_zone and f.window_origin = c.window_origin
  where c.action <> 'disable'
  order by c.canonical_symbol, c.run_interval_minutes
  on conflict (canonical_symbol, timeframe) do update set
    source_timeframe = excluded.source_timeframe,
    run_interval_minutes = excluded.run_interval_minutes,
    is_mandatory = excluded.is_mandatory,
    agg_start_utc = excluded.agg_start_utc,
    -- A task that has decided nothing since its start begins at an earlier one like a new one. Other windows begin below.
    (last_agg_bar_ts_utc, built_to_utc) = (
      select
        case when b.is_earlier then excluded.last_agg_bar_ts_utc else s.last_agg_bar_ts_utc end,
        -- Bars may be there from before the start was moved ahead.
        case
          when b.is_earlier and s.last_attempted_at_utc is not null then greatest(s.built_to_utc, agg.window_end(
            s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.window_time_zone, s.window_origin
          ))
          else s.built_to_utc
        end
      from (
        select excluded.agg_start_utc < s.agg_start_utc
          and (excluded.window_time_zone, excluded.window_origin) is not distinct from (s.window_time_zone, s.window_origin)
          and s.last_agg_bar_ts_utc <= agg.bootstrap_cursor(
            s.agg_start_utc, make_interval(mins => s.run_interval_minutes), s.window_time_zone, s.window_origin
          )
      ) as b (is_earlier)
    ),
    good_percent = excluded.good_percent,
    poor_percent = excluded.poor_percent,
    session_time_zone = excluded.session_time_zone,
    session_minutes = excluded.session_minutes,
    basket = excluded.basket,
    calendar = excluded.calendar,
    enabled = true,
    status = case
      when not s.enabled or (s.status = 'disabled' and s.hard_fail_streak < (select f.hard_failures from agg.defaults as f)) then 'idle'
      else s.status
    end,
    running_started_at_utc = case when s.enabled then s.running_started_at_utc end,
    fail_streak = case when s.enabled then s.fail_streak else 0 end,
    hard_fail_streak = case when s.enabled then s.hard_fail_streak else 0 end,
    next_run_at = least(
      case
        when s.enabled and s.status <> 'disabled' then s.next_run_at
        else agg.due_at(
          s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.aggregation_delay_seconds,
          s.window_time_zone, s.window_origin
        )
      end,
      case when excluded.agg_start_utc < s.agg_start_utc then excluded.next_run_at end
    ),
    -- It may have stood in no queue, or in another.
    due_together_at = null,
    updated_at = now();

  update public.data_agg_state as s
  set enabled = false, status = 'disabled', updated_at = now()
  from unnest(p_changes) as c
  where c.action = 'disable' and s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe;

  perform agg.move_windows(array(select c from unnest(p_changes) as c where c.has_new_windows));

  if v_new_rules <> '{}' then
    perform agg.reopen_windows(v_new_rules);
    perform agg.add_corrections(v_new_rules, p_is_backfill => true);
  end if;
end;
$$;
