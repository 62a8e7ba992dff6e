comment on function public.agg_get_due_tasks is
  'Tasks to work on in p_env (null: the environment of the database), most urgent first: mandatory, then shorter timeframe, then task_priority, then least recently successful. Claims nothing (agg_start does); frees claims abandoned for 15 minutes.';

create function public.agg_get_due_tasks(
  p_env text default null, p_limit integer default 10, p_now timestamptz default now()
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
begin
  perform agg.recover_abandoned_claims(p_now);
  return query
  select
    s.canonical_symbol, s.timeframe, s.source_timeframe, s.last_agg_bar_ts_utc,
    s.run_interval_minutes, s.aggregation_delay_seconds, s.is_mandatory, s.task_priority
  from agg.runnable_task as s
  join agg.timeframe as t on t.timeframe = s.timeframe
  where s.next_run_at <= p_now
    and s.canonical_symbol in (select a.symbol from agg.active_symbols(agg.current_env(p_env)) as a (symbol))
  order by s.is_mandatory desc, t.duration, s.task_priority, s.last_successful_at_utc nulls first, s.canonical_symbol
  limit p_limit;
end;
$$;
