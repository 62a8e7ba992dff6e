comment on function agg.claim_due_tasks is
'Locks up to p_limit due tasks of one timeframe to the end of the transaction, and returns their symbols; no symbols where nothing is due.
Order: mandatory first, then shorter timeframe, priority, due for longest. A timeframe of which a task has been due for more than five minutes goes before shorter ones, so that no backlog holds up another. Reads an index in this order: what is due and not taken costs nothing.
p_lanes: how many dispatchers share the work. Each takes at most its share of what is due.
Passes over a task while its source task is due and was not taken: another session has it, and will let this one follow.
Locks: never waits; passes over rows that others have locked. Build in a later statement, so that its snapshot is younger than the locks.';

create function agg.claim_due_tasks(
  p_env text, p_limit integer, p_now timestamptz, p_lanes integer default 1, out timeframe text, out symbols text[]
)
returns record
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by an index in order, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_is_test constant boolean := agg.is_test(p_env);
  v_queue record;
  v_is_mandatory boolean;
  v_minutes integer;
  v_claimed text[];
  v_timeframe text;
  v_due bigint := 0;
  v_is_passed_over boolean := false;
begin
  symbols := '{}';
  for v_queue in
    select q.is_mandatory, q.run_interval_minutes, q.task_priority
    from agg.task_queue as q
    cross join lateral (
      select s.next_run_at
      from agg.runnable_task as s
      where s.is_mandatory = q.is_mandatory and s.run_interval_minutes = q.run_interval_minutes and s.task_priority = q.task_priority
      order by s.next_run_at
      limit 1
    ) as f
    where f.next_run_at <= p_now
    order by
      q.is_mandatory desc,
      least(min(f.next_run_at) over (partition by q.is_mandatory, q.run_interval_minutes), p_now - interval '5 minutes'),
      q.run_interval_minutes, q.task_priority
  loop
    if (v_is_mandatory, v_minutes) is distinct from (v_queue.is_mandatory, v_queue.run_interval_minutes) then
      exit when timeframe is not null;
      v_is_passed_over := v_minutes is not null;
      v_is_mandatory := v_queue.is_mandatory;
      v_minutes := v_queue.run_interval_minutes;
      v_due := 0;
    end if;
    if p_lanes > 1 then
      v_due := v_due + (
        select count(*)
        from (
          select
          from agg.runnable_task as s
          where s.is_mandatory = v_queue.is_mandatory and s.run_interval_minutes = v_queue.run_interval_minutes
            and s.task_priority = v_queue.task_priority and s.next_run_at <= p_now
          limit p_limit::bigint * p_lanes
        ) as d
      );
    end if;

    select array_agg(c.canonical_symbol), min(c.timeframe) into v_claimed, v_timeframe
    from (
      select s.canonical_symbol, s.timeframe
      from agg.runnable_task as s
      join agg.active_asset as a on a.canonical_symbol = s.canonical_symbol and a.is_test = v_is_test
      where s.is_mandatory = v_queue.is_mandatory and s.run_interval_minutes = v_queue.run_interval_minutes
        and s.task_priority = v_queue.task_priority and s.next_run_at <= p_now
        and (
          not v_is_passed_over
          or not exists (
            select
            from agg.runnable_task as u
            where u.canonical_symbol = s.canonical_symbol and u.timeframe = s.source_timeframe and u.timeframe <> s.timeframe
              and u.next_run_at <= p_now
          )
        )
      order by s.next_run_at
      limit case when p_lanes > 1 then least(p_limit, (v_due + p_lanes - 1) / p_lanes) else p_limit end - cardinality(symbols)
      for update of s skip locked
    ) as c;
    timeframe := coalesce(timeframe, v_timeframe);
    symbols := symbols || v_claimed;
    exit when cardinality(symbols) >= p_limit;
  end loop;
end;
$$;
