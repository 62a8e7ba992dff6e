comment on function public.agg_get_due_tasks is
  'Tasks to work on at p_now, most urgent first, at most p_limit (null: all).
p_env_name is the environment whose flag says which assets are active; null is the environment of the database.
Mandatory tasks come first, then shorter timeframes, lower task_priority, and the least recently successful.
Claims no task: agg_start does. Frees tasks that were claimed 15 minutes ago or longer and never finished.';

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
as $$
declare
  v_is_test constant boolean := agg.is_test(agg.current_env(p_env_name));
begin
  perform agg.recover_abandoned_claims(p_now);
  return query
  select
    s.canonical_symbol, s.timeframe, s.source_timeframe, s.last_agg_bar_ts_utc,
    s.run_interval_minutes, s.aggregation_delay_seconds, s.is_mandatory, s.task_priority
  from agg.runnable_task as s
  join agg.timeframe as t on t.timeframe = s.timeframe
  where s.next_run_at <= p_now
    and exists (select from agg.active_asset as a where a.canonical_symbol = s.canonical_symbol and a.is_test = v_is_test)
  order by s.is_mandatory desc, t.duration, s.task_priority, s.last_successful_at_utc nulls first, s.canonical_symbol
  limit p_limit;
end;
$$;
