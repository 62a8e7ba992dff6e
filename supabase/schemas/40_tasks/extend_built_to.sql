comment on function agg.extend_built_to is
'Stores that windows up to p_built_to_utc were built ahead of the cursor of a task, so that changes of their source are followed. The caller holds the task.';

create function agg.extend_built_to(p_symbol text, p_timeframe text, p_built_to_utc timestamptz)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  update agg.task as s
  set built_to_utc = p_built_to_utc
  where s.canonical_symbol = p_symbol and s.timeframe = p_timeframe and p_built_to_utc > s.followed_to_utc;
$$;
