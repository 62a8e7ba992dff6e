comment on function agg.add_corrections is
'Makes corrections of changes to the source bars of tasks, merged with those that wait already.
p_is_backfill: history, which waits apart until nothing else does. What waits as history already is no correction beside it.
Drops what lies ahead of the cursor and of built_to_utc, but only for tasks that it can lock and that no worker has claimed: a row lock taken elsewhere, or a claim, may hide a build that has not seen the change. Drops changes of tasks that do not exist: what such a task builds later, it sees.
A task that sleeps is woken by what it drops.
Locks: never waits; keeps the locks it gets to the end of the transaction.';

create function agg.add_corrections(p_changes agg.changed_span[], p_is_backfill boolean default false)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by the key of a task, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_woken agg.changed_span[];
begin
  with change as materialized (
    select c.* from unnest(p_changes) with ordinality as c where not isempty(c.spans)
  ),
  held as materialized (
    select
      c.ordinality, c.canonical_symbol, c.timeframe, c.spans, c.changed_at, c.failures,
      -- Only the holder of a task that no worker has claimed knows what it has decided, and may drop the rest.
      case
        when f.is_free then c.spans * tstzmultirange(tstzrange(null, s.followed_to_utc))
        else c.spans
      end as kept,
      f.is_free and s.queued_at = 'infinity' and c.spans && tstzrange(s.decided_to_utc, null) as is_woken
    from change as c
    join agg.task as s on s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe
    cross join lateral (select s.running_started_at_utc is null) as f (is_free)
    for update of s skip locked
  ),
  taken as (
    -- By place: a join would read all corrections for each task where the planner takes their table for empty.
    delete from agg.correction as k
    where k.ctid = any (array(
      select w.ctid
      from held as h
      cross join lateral (
        select c.ctid
        from agg.correction as c
        where c.canonical_symbol = h.canonical_symbol and c.timeframe = h.timeframe
          and case
            -- A failed correction waits for its time, unless its source has changed.
            when c.is_backfill = p_is_backfill then c.error is null or c.spans && h.spans
            -- Taken and put back: what a dispatcher has taken meanwhile, and may have built from an older snapshot, is not there.
            else c.is_backfill and c.error is null and c.spans && h.spans
          end
        offset 0
      ) as w
      where not isempty(h.kept)
    ))
    returning k.canonical_symbol, k.timeframe, k.spans, k.changed_at, k.failures, k.is_backfill <> p_is_backfill as is_history
  ),
  -- Grouped rather than joined: linear whatever the planner assumes about the number of tasks.
  merged as (
    select
      m.canonical_symbol, m.timeframe,
      range_agg(m.spans) filter (where not m.is_history) as spans,
      range_agg(m.spans) filter (where m.is_history) as history,
      min(m.changed_at) filter (where not m.is_history) as changed_at,
      min(m.changed_at) filter (where m.is_history) as history_at,
      max(m.failures) filter (where not m.is_history) as failures
    from (
      select h.canonical_symbol, h.timeframe, h.kept as spans, h.changed_at, h.failures, false as is_history
      from held as h
      where not isempty(h.kept)
      union all
      -- Of a task that another session holds, all.
      select c.canonical_symbol, c.timeframe, c.spans, c.changed_at, c.failures, false
      from change as c
      cross join lateral (
        select from public.data_agg_state as s where s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe offset 0
      ) as s
      where c.ordinality not in (select h.ordinality from held as h)
      union all
      select t.canonical_symbol, t.timeframe, t.spans, t.changed_at, t.failures, t.is_history
      from taken as t
    ) as m
    group by m.canonical_symbol, m.timeframe
  ),
  added as (
    insert into agg.correction (canonical_symbol, timeframe, spans, changed_at, failures, is_backfill)
    select m.canonical_symbol, m.timeframe, m.history, m.history_at, 0, true
    from merged as m
    where m.history is not null
    union all
    select m.canonical_symbol, m.timeframe, w.spans, m.changed_at, m.failures, p_is_backfill
    from merged as m
    cross join lateral (select m.spans - coalesce(m.history, '{}')) as w (spans)
    where not isempty(w.spans)
  )
  select array_agg((h.canonical_symbol, h.timeframe, h.spans, h.changed_at, h.failures)::agg.changed_span)
  into v_woken
  from held as h
  where h.is_woken;
  if v_woken is not null then
    perform agg.wake_tasks(v_woken);
  end if;
end;
$$;
