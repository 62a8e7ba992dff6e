comment on function agg.add_corrections is
'Makes corrections of changes to the source bars of tasks, merged with those that wait already.
Drops what lies ahead of the cursor and of built_to_utc, but only for tasks that it can lock and that no worker has claimed: a row lock taken elsewhere, or a claim, may hide a build that has not seen the change. Drops changes of tasks that do not exist: what such a task builds later, it sees.
A task that sleeps is woken by what it drops.
Locks: never waits; keeps the locks it gets to the end of the transaction.';

create function agg.add_corrections(p_changes agg.changed_span[])
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
  v_sleeping agg.changed_span[];
begin
  with change as (
    select c.* from unnest(p_changes) as c where not isempty(c.spans)
  ),
  held as materialized (
    select
      c.canonical_symbol, c.timeframe, c.spans, s.next_run_at = 'infinity' as is_asleep,
      case when s.running_started_at_utc is null then
        tstzmultirange(tstzrange(null, s.followed_to_utc))
      end as decided
    from change as c
    join agg.task as s on s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe
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
          -- A failed correction waits for its time, unless its source has changed.
          and (c.error is null or c.spans && h.spans)
        offset 0
      ) as w
    ))
    returning k.canonical_symbol, k.timeframe, k.spans, k.changed_at, k.failures
  ),
  -- Grouped rather than joined: linear whatever the planner assumes about the number of tasks.
  merged as (
    select
      m.canonical_symbol, m.timeframe,
      range_agg(m.spans) as spans,
      range_agg(m.decided) as decided,
      bool_or(m.is_held) as is_held,
      bool_or(m.is_asleep) as is_asleep,
      min(m.changed_at) as changed_at,
      max(m.failures) as failures
    from (
      select c.canonical_symbol, c.timeframe, c.spans, null::tstzmultirange as decided, false as is_held, false as is_asleep, c.changed_at, c.failures
      from change as c
      union all
      select t.canonical_symbol, t.timeframe, t.spans, null, false, false, t.changed_at, t.failures
      from taken as t
      union all
      select h.canonical_symbol, h.timeframe, null, h.decided, true, h.is_asleep, null, null
      from held as h
    ) as m
    group by m.canonical_symbol, m.timeframe
  ),
  added as (
    insert into agg.correction (canonical_symbol, timeframe, spans, changed_at, failures)
    select m.canonical_symbol, m.timeframe, w.spans, m.changed_at, m.failures
    from merged as m
    -- Only the holder of a task that no worker has claimed knows what it has decided, and may drop the rest.
    cross join lateral (select case when m.decided is null then m.spans else m.spans * m.decided end) as w (spans)
    where not isempty(w.spans)
      and (
        m.is_held
        or (
          select true from public.data_agg_state as s where s.canonical_symbol = m.canonical_symbol and s.timeframe = m.timeframe
        )
      )
  )
  select array_agg(agg.new_changed_span(m.canonical_symbol, m.timeframe, m.spans))
  into v_sleeping
  from merged as m
  where m.is_asleep and m.decided is not null;
  if v_sleeping is not null then
    perform agg.wake_tasks(v_sleeping);
  end if;
end;
$$;
