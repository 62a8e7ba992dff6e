comment on function public.agg_start is
'Claims a task for a worker outside the database.
Returns claimed; with true also canonical_symbol, timeframe, source_timeframe, last_agg_bar_ts_utc and claimed_at (to be given to agg_finish); with false a reason: running, disabled, or busy (a dispatcher holds it).
Locks: never waits. A claim older than 15 minutes is taken back. Raises no_data_found without a task.';

create function public.agg_start(p_symbol text, p_tf text, p_now timestamptz default now())
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
  set status = 'running', running_started_at_utc = p_now, updated_at = now()
  from (
    select r.canonical_symbol, r.timeframe
    from agg.runnable_task as r
    where r.canonical_symbol = p_symbol and r.timeframe = p_tf
    for update skip locked
  ) as free
  where s.canonical_symbol = free.canonical_symbol and s.timeframe = free.timeframe
  returning s.* into v_task;
  if found then
    return jsonb_build_object(
      'claimed', true,
      'canonical_symbol', v_task.canonical_symbol,
      'timeframe', v_task.timeframe,
      'source_timeframe', v_task.source_timeframe,
      'last_agg_bar_ts_utc', v_task.last_agg_bar_ts_utc,
      'claimed_at', v_task.running_started_at_utc
    );
  end if;

  select s.* into v_task
  from public.data_agg_state as s
  where s.canonical_symbol = p_symbol and s.timeframe = p_tf;
  if not found then
    perform agg.raise_no_task(p_symbol, p_tf);
  end if;
  return jsonb_build_object(
    'claimed', false,
    'reason', case when v_task.status in ('running', 'disabled') then v_task.status else 'busy' end
  );
end;
$$;
