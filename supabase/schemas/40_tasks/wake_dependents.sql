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
  v_missed agg.changed_span[];
begin
  if not exists (select from agg.runnable_task as d where d.queued_at = 'infinity') then
    return;
  end if;
  with sleeping as materialized (
    select d.canonical_symbol, d.timeframe, d.followed_to_utc, greatest(d.due_at, u.last_attempted_at_utc) as due_at
    from unnest(p_symbols) as c (symbol)
    cross join lateral (
      select k.canonical_symbol, k.timeframe, k.decided_to_utc, k.last_attempted_at_utc
      from agg.task as k
      where k.canonical_symbol = c.symbol and k.timeframe = p_timeframe
      -- Or the planner would look at all symbols for each task that sleeps.
      offset 0
    ) as u
    join agg.runnable_task as d
      on d.canonical_symbol = u.canonical_symbol and d.source_timeframe = u.timeframe and d.timeframe <> u.timeframe
    where d.queued_at = 'infinity' and d.due_at - make_interval(secs => d.aggregation_delay_seconds) <= u.decided_to_utc
  ),
  held as materialized (
    select g.*
    from sleeping as g
    join public.data_agg_state as s
      on s.canonical_symbol = g.canonical_symbol and s.timeframe = g.timeframe and s.queued_at = 'infinity'
    for update of s skip locked
  ),
  woken as (
    update public.data_agg_state as s
    set next_run_at = h.due_at, updated_at = now()
    from held as h
    where s.canonical_symbol = h.canonical_symbol and s.timeframe = h.timeframe
  )
  select array_agg((m.canonical_symbol, m.timeframe, tstzmultirange(tstzrange(m.followed_to_utc, null)), now(), 0)::agg.changed_span)
  into v_missed
  from (select g.* from sleeping as g except select h.* from held as h) as m;
  if v_missed is not null then
    perform agg.add_corrections(v_missed);
  end if;
end;
$$;
