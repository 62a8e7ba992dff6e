comment on function agg.lock_task is
'Locks the row of a task to the end of the transaction, and returns it; null where there is no such task.
Locks: waits for the session that holds the row.';

create function agg.lock_task(p_symbol text, p_timeframe text)
returns public.data_agg_state
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_task public.data_agg_state;
begin
  perform agg.require_fresh_snapshots();
  select s.* into v_task
  from public.data_agg_state as s
  where s.canonical_symbol = p_symbol and s.timeframe = p_timeframe
  for update;
  return v_task;
end;
$$;
