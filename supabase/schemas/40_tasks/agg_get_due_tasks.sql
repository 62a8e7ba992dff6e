comment on function public.agg_get_due_tasks is
  'Tasks to work on at p_now, most urgent first, at most p_limit (null: all).
p_env_name is the environment whose flag says which assets are active; null is the environment of the database.
Mandatory tasks come first, then shorter timeframes, lower task_priority, and the least recently successful.
Claims no task: agg_start does. Returns none in a pause (agg_pause). Frees tasks that were claimed 15 minutes ago or longer and never finished.';

create function public.agg_get_due_tasks(
  p_env_name text default null, p_limit integer default 10, p_now timestamptz default now()
)
returns table (
  canonical_symbol text,
  timeframe text,
  source_timeframe text,
  last_agg_bar_ts_utc timestamptz,
  run_interval_minutes integer,
  aggregation_delay_seconds integer,
  is_mandatory boolean,
  task_priority integer
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- As in agg.claim_due_tasks.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_is_test constant boolean := agg.is_test(agg.current_env(p_env_name));
  v_queue record;
  v_left integer := p_limit;
  v_rows integer;
begin
  if agg.is_paused(p_now) then
    return;
  end if;
  perform agg.recover_abandoned_claims(p_now);
  -- Queue by queue: only the last one that is read is sorted for a part of it.
  for v_queue in
    select q.is_mandatory, q.run_interval_minutes, q.task_priority, min(q.from_at) as from_at, max(q.to_at) as to_at
    from agg.due_queues(p_now) as q
    group by q.is_mandatory, q.run_interval_minutes, q.task_priority
    order by q.is_mandatory desc, q.run_interval_minutes, q.task_priority
  loop
    exit when v_left <= 0;
    return query
    select
      s.canonical_symbol, s.timeframe, s.source_timeframe, s.last_agg_bar_ts_utc,
      s.run_interval_minutes, s.aggregation_delay_seconds, s.is_mandatory, s.task_priority
    from agg.runnable_task as s
    join agg.active_asset as a on a.canonical_symbol = s.canonical_symbol and a.is_test = v_is_test
    where s.is_mandatory = v_queue.is_mandatory and s.run_interval_minutes = v_queue.run_interval_minutes
      and s.task_priority = v_queue.task_priority and s.queued_at between v_queue.from_at and v_queue.to_at and s.next_run_at <= p_now
    order by s.last_successful_at_utc nulls first, s.canonical_symbol
    limit v_left;
    get diagnostics v_rows = row_count;
    v_left := v_left - v_rows;
  end loop;
end;
$$;
