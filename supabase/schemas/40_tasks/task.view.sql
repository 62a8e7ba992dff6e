comment on view agg.task is
'Tasks, with what follows from their cursors: the length of their windows, the end of what is decided, the end of what was built (changes of the source are followed up to there), and when the next window may be decided.';
comment on view agg.runnable_task is
'Tasks that may be claimed once their next_run_at has come: mandatory ones even after hard failures.';

-- Windows in UTC need no call.
create view agg.task with (security_invoker = true) as
select
  make_interval(mins => s.run_interval_minutes) as window_length,
  case
    when s.window_time_zone is null then s.last_agg_bar_ts_utc + make_interval(mins => s.run_interval_minutes)
    else agg.window_end(
      s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.window_time_zone, s.window_origin
    )
  end as decided_to_utc,
  greatest(
    case
      when s.window_time_zone is null then s.last_agg_bar_ts_utc + make_interval(mins => s.run_interval_minutes)
      else agg.window_end(
        s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.window_time_zone, s.window_origin
      )
    end,
    s.built_to_utc
  ) as followed_to_utc,
  case
    when s.window_time_zone is null
      then s.last_agg_bar_ts_utc + make_interval(mins => 2 * s.run_interval_minutes, secs => s.aggregation_delay_seconds)
    else agg.due_at(
      s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.aggregation_delay_seconds,
      s.window_time_zone, s.window_origin
    )
  end as due_at,
  s.*
from public.data_agg_state as s;

create view agg.runnable_task with (security_invoker = true) as
select t.*
from agg.task as t
where t.enabled and t.status in ('idle', 'hard_failed');
