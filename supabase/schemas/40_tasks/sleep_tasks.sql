comment on function agg.sleep_tasks is
'Lets tasks sleep that have just found nothing to decide: next_run_at infinity, and a run costs them nothing.
After no_source_data: where no source bar at all lies at or after the next window. One that does, stamped after the clock, is waited for as before. After any other reason: where the source task has not decided the next window.
Change notes wake them (agg.add_corrections), and a source task that advances (agg.wake_dependents).
Locks: the caller holds the tasks. Never waits: locks the source tasks to the end of the transaction, so that none advances unseen; a task whose source is held elsewhere stays awake.';

create function agg.sleep_tasks(p_symbols text[], p_timeframe text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by a key, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_held text[];
begin
  v_held := array(
    select s.canonical_symbol
    from unnest(p_symbols) as c (symbol)
    join public.data_agg_state as s on s.canonical_symbol = c.symbol and s.timeframe = p_timeframe
    join public.data_agg_state as u
      on u.canonical_symbol = s.canonical_symbol and u.timeframe = s.source_timeframe and u.timeframe <> s.timeframe
    for share of u skip locked
  );
  -- A later statement: it sees every bar and cursor that was committed before the locks.
  update public.data_agg_state as s
  set next_run_at = 'infinity', updated_at = now()
  from (
    select t.canonical_symbol
    from unnest(p_symbols) as c (symbol)
    join agg.runnable_task as t on t.canonical_symbol = c.symbol and t.timeframe = p_timeframe
    left join agg.task as u
      on u.canonical_symbol = t.canonical_symbol and u.timeframe = t.source_timeframe and u.timeframe <> t.timeframe
    left join unnest(v_held) as h (symbol) on h.symbol = t.canonical_symbol
    where (u.canonical_symbol is null or h.symbol is not null)
      and case t.last_stopped_reason
        when 'no_source_data' then not agg.has_source_bar(t.canonical_symbol, t.timeframe, t.decided_to_utc, 'infinity')
        else u.enabled and u.decided_to_utc < t.due_at - make_interval(secs => t.aggregation_delay_seconds)
      end
  ) as a
  where s.canonical_symbol = a.canonical_symbol and s.timeframe = p_timeframe;
end;
$$;
