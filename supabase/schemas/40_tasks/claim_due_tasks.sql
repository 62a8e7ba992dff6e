comment on function agg.claim_due_tasks is
'Locks up to p_limit due tasks of one timeframe to the end of the transaction, and returns their symbols; no symbols where nothing is due.
Order: mandatory first, then shorter timeframe, priority, due for longest. A timeframe of which a task has been due for more than five minutes goes before shorter ones, so that no backlog holds up another. Reads an index in this order: what is due and not taken costs nothing. Where none is left of those that are due together, it notes when the next are (agg.raise_due_at).
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
  v_is_foreign constant boolean := agg.has_foreign_tasks(p_env);
  v_queue record;
  v_is_mandatory boolean;
  v_minutes integer;
  v_claimed text[];
  v_timeframe text;
  v_due bigint := 0;
  v_due_here bigint := 0;
  v_is_passed_over boolean := false;
  v_until_at timestamptz;
  v_raised_to timestamptz;
begin
  symbols := '{}';
  for v_queue in
    select q.*
    from agg.due_queues(p_now) as q
    order by
      q.is_mandatory desc,
      least(min(q.due_at) over (partition by q.is_mandatory, q.run_interval_minutes), p_now - interval '5 minutes'),
      q.run_interval_minutes, q.task_priority, q.due_at
  loop
    if (v_is_mandatory, v_minutes) is distinct from (v_queue.is_mandatory, v_queue.run_interval_minutes) then
      exit when timeframe is not null;
      v_is_passed_over := v_minutes is not null;
      v_is_mandatory := v_queue.is_mandatory;
      v_minutes := v_queue.run_interval_minutes;
      v_due := 0;
    end if;
    v_until_at := v_queue.until_at;
    loop
      if p_lanes > 1 then
        v_due_here := (
          select count(*)
          from (
            select
            from agg.runnable_task as s
            where s.is_mandatory = v_queue.is_mandatory and s.run_interval_minutes = v_queue.run_interval_minutes
              and s.task_priority = v_queue.task_priority
              and s.queued_at between v_queue.from_at and v_queue.to_at and s.next_run_at <= v_until_at
            limit p_limit::bigint * p_lanes
          ) as d
        );
      end if;

      select array_agg(c.canonical_symbol), min(c.timeframe) into v_claimed, v_timeframe
      from (
        select s.canonical_symbol, s.timeframe
        from agg.runnable_task as s
        where s.is_mandatory = v_queue.is_mandatory and s.run_interval_minutes = v_queue.run_interval_minutes
          and s.task_priority = v_queue.task_priority
          and s.queued_at between v_queue.from_at and v_queue.to_at and s.next_run_at <= v_until_at
          and (
            not v_is_passed_over
            or not exists (
              select
              from agg.runnable_task as u
              where u.canonical_symbol = s.canonical_symbol and u.timeframe = s.source_timeframe and u.timeframe <> s.timeframe
                and u.next_run_at <= p_now
            )
          )
          and (
            not v_is_foreign
            or exists (select from agg.active_asset as a where a.canonical_symbol = s.canonical_symbol and a.is_test = agg.is_test(p_env))
          )
        order by s.queued_at
        limit case when p_lanes > 1 then least(p_limit, (v_due + v_due_here + p_lanes - 1) / p_lanes) else p_limit end - cardinality(symbols)
        for update of s skip locked
      ) as c;
      exit when v_claimed is not null or not v_queue.is_together;
      v_raised_to := agg.raise_due_at(v_queue.is_mandatory, v_queue.run_interval_minutes, v_queue.task_priority);
      exit when v_raised_to > p_now or (v_raised_to is null and v_until_at >= p_now);
      -- Where another session holds those that have been due for longest, the others.
      v_until_at := coalesce(v_raised_to, p_now);
    end loop;
    v_due := v_due + v_due_here;
    timeframe := coalesce(timeframe, v_timeframe);
    symbols := symbols || v_claimed;
    exit when cardinality(symbols) >= p_limit;
  end loop;
end;
$$;
