comment on function agg.wake_overlooked_tasks is
'Wakes sleeping tasks that have something to do: a source bar that no change note spoke of, or a source task that has decided the next window. Returns how many.
Locks: passes over rows that others have locked.';

create function agg.wake_overlooked_tasks()
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- Every access is by an index, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set jit = off
as $$
declare
  v_woken integer;
begin
  update public.data_agg_state as s
  set next_run_at = o.due_at, updated_at = now()
  from (
    select t.canonical_symbol, t.timeframe, t.due_at
    from agg.runnable_task as t
    where t.queued_at = 'infinity'
      and case t.last_stopped_reason
        when 'no_source_data' then agg.has_source_bar(t.canonical_symbol, t.timeframe, t.decided_to_utc, 'infinity')
        else not exists (
          select
          from agg.task as u
          where u.canonical_symbol = t.canonical_symbol and u.timeframe = t.source_timeframe and u.timeframe <> t.timeframe
            and u.enabled and u.decided_to_utc < t.due_at - make_interval(secs => t.aggregation_delay_seconds)
        )
      end
    for update of t skip locked
  ) as o
  where s.canonical_symbol = o.canonical_symbol and s.timeframe = o.timeframe;
  get diagnostics v_woken = row_count;
  return v_woken;
end;
$$;
