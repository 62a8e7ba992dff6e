comment on function agg.claim_corrections is
  'Locks up to p_limit tasks of a timeframe that have corrections waiting, p_is_backfill those of history, to the end of the transaction, and returns their symbols.
Order: those first that wait longest since they were last worked on. A task whose source task has corrections of the same time waiting is passed over until these are made.
p_lanes: how many dispatchers share the work. Each takes at most its share of what waits.
Locks: never waits; passes over rows that others have locked, and tasks that a worker has claimed. Build in a later statement, so that its snapshot is younger than the locks.';

create function agg.claim_corrections(
  p_env text, p_timeframe text, p_limit integer, p_now timestamptz, p_lanes integer default 1, p_is_backfill boolean default false
)
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by the key of a task, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_is_foreign constant boolean := agg.has_foreign_tasks(p_env);
begin
  return array(
    select s.canonical_symbol
    from (
      select k.canonical_symbol, min(k.correction_id) as first_id, range_agg(k.spans) as spans
      from agg.correction as k
      where k.timeframe = p_timeframe and k.is_backfill = p_is_backfill and k.retry_at <= p_now
      group by k.canonical_symbol
    ) as k
    join agg.runnable_task as s on s.canonical_symbol = k.canonical_symbol and s.timeframe = p_timeframe
    -- What its source waits to be built from first: a longer bar of bars that are not there yet would be removed.
    where not exists (
      select from agg.correction as u
      where u.canonical_symbol = s.canonical_symbol and u.timeframe = s.source_timeframe and u.timeframe <> s.timeframe
        and u.is_backfill = p_is_backfill and u.retry_at <= p_now and u.spans && k.spans
    )
    and (
      not v_is_foreign
      or exists (select from agg.active_asset as a where a.canonical_symbol = s.canonical_symbol and a.is_test = agg.is_test(p_env))
    )
    -- What a task has left waiting goes to the end of the queue.
    order by k.first_id
    limit least(p_limit, (
      select (count(distinct w.canonical_symbol) + p_lanes - 1) / p_lanes
      from agg.correction as w
      where w.timeframe = p_timeframe and w.is_backfill = p_is_backfill and w.retry_at <= p_now
    ))
    for update of s skip locked
  );
end;
$$;
