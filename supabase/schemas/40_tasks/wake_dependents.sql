comment on function agg.wake_dependents is
'Wakes the tasks that sleep until these tasks of one timeframe have decided more, and now have. One that another session holds becomes a correction, which wakes it later.
Locks: the caller holds the tasks that advanced. Never waits.';

create function agg.wake_dependents(p_symbols text[], p_timeframe text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by a key, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_changes agg.changed_span[];
begin
  if not exists (select from agg.runnable_task as d where d.queued_at = 'infinity') then
    return;
  end if;
  v_changes := array(
    select agg.new_changed_span(d.canonical_symbol, d.timeframe, tstzmultirange(tstzrange(d.followed_to_utc, null)))
    from unnest(p_symbols) as c (symbol)
    cross join lateral (
      select k.canonical_symbol, k.timeframe, k.decided_to_utc
      from agg.task as k
      where k.canonical_symbol = c.symbol and k.timeframe = p_timeframe
      -- Or the planner would look at all symbols for each task that sleeps.
      offset 0
    ) as u
    join agg.runnable_task as d
      on d.canonical_symbol = u.canonical_symbol and d.source_timeframe = u.timeframe and d.timeframe <> u.timeframe
    where d.queued_at = 'infinity' and d.due_at - make_interval(secs => d.aggregation_delay_seconds) <= u.decided_to_utc
  );
  if v_changes <> '{}' then
    perform agg.add_corrections(v_changes);
  end if;
end;
$$;
