comment on function agg.wake_tasks is
'Makes those of the changed tasks due that sleep, where their source has changed at or after their next window. They count as due since their source task was last run: what they waited for was not there before. The caller holds the tasks.';

create function agg.wake_tasks(p_changes agg.changed_span[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by the key of a task, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
begin
  if not exists (select from agg.runnable_task as t where t.queued_at = 'infinity') then
    return;
  end if;
  update public.data_agg_state as s
  set
    next_run_at = greatest(t.due_at, (
      select u.last_attempted_at_utc
      from public.data_agg_state as u
      where u.canonical_symbol = t.canonical_symbol and u.timeframe = t.source_timeframe and u.timeframe <> t.timeframe
    )),
    updated_at = now()
  from unnest(p_changes) as c
  cross join lateral (
    select k.*
    from agg.task as k
    where k.canonical_symbol = c.canonical_symbol and k.timeframe = c.timeframe
    -- Or the planner would look at all changes for each task that sleeps.
    offset 0
  ) as t
  where s.canonical_symbol = t.canonical_symbol and s.timeframe = t.timeframe
    and t.queued_at = 'infinity' and c.spans && tstzrange(t.decided_to_utc, null);
end;
$$;
