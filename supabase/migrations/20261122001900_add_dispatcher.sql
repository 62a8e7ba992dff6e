create function agg.fail_kind(p_sqlstate text)
returns text
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when left(p_sqlstate, 2) in ('08', '40', '53', '57', '58') or p_sqlstate in ('55P03', '23505') then 'transient'
    else 'hard'
  end;
$$;

create function agg.build_or_split(p_orders agg.build_order[], p_time_splits integer default 8)
returns setof agg.build_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_half constant integer := cardinality(p_orders) / 2;
  v_order constant agg.build_order := p_orders[1];
  v_results agg.build_result[];
  v_lock_waits integer;
  v_fail_kind text;
  v_error text;
  v_middle_utc timestamptz;
begin
  begin
    v_results := array(select r from agg.build_bars(p_orders) as r);
  exception when others then
    v_fail_kind := agg.fail_kind(sqlstate);
    v_error := format('%s (%s)', sqlerrm, sqlstate);
    if sqlstate = '55P03' then
      v_lock_waits := coalesce(nullif(current_setting('pgbars.lock_waits', true), ''), '0')::integer + 1;
      perform set_config('pgbars.lock_waits', v_lock_waits::text, true);
      -- The patience of a batch is for the first wait; the others only find out which bars are held.
      perform set_config('lock_timeout', '10ms', true);
      if v_lock_waits > 500 then
        raise exception 'somebody holds a table, or too many bars, for longer than the dispatcher waits'
          using errcode = 'lock_not_available',
            hint = 'select * from pg_locks where not granted; shows who waits for what. The next run tries again.';
      end if;
    end if;
  end;

  if v_error is null then
    return query select r.* from unnest(v_results) as r;
  elsif v_half > 0 then
    return query
    select r.* from agg.build_or_split(p_orders[:v_half], p_time_splits) as r
    union all
    select r.* from agg.build_or_split(p_orders[v_half + 1:], p_time_splits) as r;
  elsif v_order.max_windows is null and v_fail_kind = 'hard' and p_time_splits > 0
    and v_order.to_utc > v_order.from_utc + v_order.window_length
  then
    v_middle_utc := date_bin(
      v_order.window_length, v_order.from_utc + (v_order.to_utc - v_order.from_utc) / 2, timestamptz '2000-01-01 00:00:00+00'
    );
    p_orders := p_orders || p_orders;
    p_orders[1].to_utc := v_middle_utc;
    p_orders[2].from_utc := v_middle_utc;
    return query select r.* from agg.build_or_split(p_orders, p_time_splits - 1) as r;
  else
    return query
    select
      v_order.canonical_symbol, v_order.timeframe, v_order.window_length, v_order.from_utc, v_order.to_utc,
      v_order.frontier_utc, 0, 0, 0, 0, 0, 0, false, v_order.from_utc, v_order.is_rebuild, v_fail_kind, v_error;
  end if;
end;
$$;

create function agg.advance_tasks(p_claims agg.claim[], p_now timestamptz, p_max_windows integer)
returns agg.batch_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_results agg.build_result[];
  v_sums agg.batch_result;
begin
  v_results := array(
    select r
    from agg.build_or_split(array(select o from agg.plan_builds(p_claims, p_now, p_max_windows, null) as o)) as r
  );
  perform agg.finish_tasks(
    array(
      select row(
        r.canonical_symbol, r.timeframe, r.error is null, agg.new_cursor(r), agg.stopped_reason(r),
        r.bars, r.bars_poor, r.fail_kind, r.error
      )::agg.task_outcome
      from unnest(v_results) as r
    ),
    p_now
  );
  select
    count(*), coalesce(sum(r.windows), 0), coalesce(sum(r.bars), 0), coalesce(sum(r.bars_poor), 0), 0, count(r.error), 0
  into v_sums
  from unnest(v_results) as r;
  return v_sums;
end;
$$;

create function agg.claim_corrections(p_env text, p_timeframe text, p_limit integer, p_now timestamptz)
returns agg.claim[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by the key of a task, whatever is believed of the size of the tables.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  return array(
    select row(s.canonical_symbol, s.timeframe, s.last_agg_bar_ts_utc)::agg.claim
    from (
      select k.canonical_symbol, min(k.correction_id) as first_id
      from agg.correction as k
      where k.timeframe = p_timeframe and k.retry_at <= p_now
      group by k.canonical_symbol
    ) as k
    join agg.active_asset as a on a.canonical_symbol = k.canonical_symbol and a.is_test = (select agg.is_test(p_env))
    join agg.runnable_task as s on s.canonical_symbol = k.canonical_symbol and s.timeframe = p_timeframe
    -- What a task has left waiting goes to the end of the queue.
    order by k.first_id
    limit p_limit
    for update of s skip locked
  );
end;
$$;

create function agg.correct_tasks(p_claims agg.claim[], p_now timestamptz, p_max_windows integer)
returns agg.batch_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by the key of a task, whatever is believed of the size of the tables.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_taken agg.change[];
  v_changes agg.change[];
  v_orders agg.build_order[];
  v_results agg.build_result[];
  v_sums agg.batch_result;
begin
  with taken as (
    delete from agg.correction as k
    using unnest(p_claims) as c
    where k.canonical_symbol = c.canonical_symbol and k.timeframe = c.timeframe and k.retry_at <= p_now
    returning k.canonical_symbol, k.timeframe, k.spans, k.noted_at, k.failures
  )
  select array_agg(row(t.canonical_symbol, t.timeframe, t.spans, t.noted_at, t.failures)::agg.change)
  into v_taken
  from taken as t;
  v_changes := array(
    select row(t.canonical_symbol, t.timeframe, range_agg(t.spans), min(t.noted_at), max(t.failures))::agg.change
    from unnest(v_taken) as t
    group by t.canonical_symbol, t.timeframe
  );
  v_orders := array(select o from agg.rebuild_orders(v_changes, p_max_windows) as o);
  v_results := array(select r from agg.build_or_split(v_orders) as r);

  -- Orders are the newest windows: what is older than them is left for later.
  insert into agg.correction (canonical_symbol, timeframe, spans, noted_at, failures)
  select k.canonical_symbol, k.timeframe, w.spans, k.noted_at, k.failures
  from (
    select
      c.canonical_symbol, c.timeframe,
      range_agg(c.spans) as spans, min(c.noted_at) as noted_at, max(c.failures) as failures, min(c.from_utc) as from_utc
    from (
      select c.canonical_symbol, c.timeframe, c.spans, c.noted_at, c.failures, null::timestamptz as from_utc
      from unnest(v_changes) as c
      union all
      select o.canonical_symbol, o.timeframe, null, null, null, o.from_utc
      from unnest(v_orders) as o
    ) as c
    group by c.canonical_symbol, c.timeframe
  ) as k
  cross join lateral (select k.spans * tstzmultirange(tstzrange(null, k.from_utc))) as w (spans)
  where k.from_utc is not null and not isempty(w.spans);

  insert into agg.correction (canonical_symbol, timeframe, spans, noted_at, failures, retry_at, error)
  select
    r.canonical_symbol, r.timeframe, tstzmultirange(tstzrange(r.from_utc, r.to_utc)),
    b.noted_at, b.failures + 1, p_now + agg.retry_delay(b.failures), r.error
  from unnest(v_results) as r
  cross join lateral (
    select min(t.noted_at), max(t.failures)
    from unnest(v_taken) as t
    where t.canonical_symbol = r.canonical_symbol and t.timeframe = r.timeframe and t.spans && tstzrange(r.from_utc, r.to_utc)
  ) as b (noted_at, failures)
  where r.error is not null;

  select
    cardinality(p_claims), coalesce(sum(r.windows), 0), 0, 0,
    coalesce(sum(r.inserted + r.updated + r.removed), 0),
    count(distinct (r.canonical_symbol, r.timeframe)) filter (where r.error is not null), 0
  into v_sums
  from unnest(v_results) as r;
  return v_sums;
end;
$$;

create function agg.run_batch(
  p_env text default null,
  p_limit integer default 10000,
  p_now timestamptz default now(),
  p_batch_windows integer default 100000
)
returns agg.batch_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- Somebody may hold a bar for as long as their transaction is open.
set lock_timeout = '500ms'
as $$
declare
  v_env constant text := agg.current_env(p_env);
  v_sums agg.batch_result := row(0, 0, 0, 0, 0, 0, 0);
  v_claims agg.claim[];
  v_timeframe text;
begin
  perform agg.require_fresh_snapshots();
  perform set_config('pgbars.lock_waits', '0', true);
  v_sums.notes := agg.take_notes(1000);

  perform agg.recover_abandoned_claims(p_now);
  v_claims := agg.claim_due_tasks(v_env, p_limit, p_now);
  if cardinality(v_claims) > 0 then
    v_sums := agg.add_batches(
      v_sums, agg.advance_tasks(v_claims, p_now, greatest(1, p_batch_windows / cardinality(v_claims)))
    );
  end if;

  -- From level to level: what one changes is a correction of the next.
  if exists (select from agg.correction as k where k.retry_at <= p_now) then
    for v_timeframe in select t.timeframe from agg.timeframe as t order by t.duration loop
      v_claims := agg.claim_corrections(v_env, v_timeframe, p_limit, p_now);
      if cardinality(v_claims) > 0 then
        v_sums := agg.add_batches(
          v_sums, agg.correct_tasks(v_claims, p_now, greatest(1, p_batch_windows / cardinality(v_claims)))
        );
      end if;
    end loop;
  end if;
  return v_sums;
end;
$$;

create function agg.add_batches(p_sums agg.batch_result, p_batch agg.batch_result)
returns agg.batch_result
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select
    p_sums.tasks + p_batch.tasks,
    p_sums.windows + p_batch.windows,
    p_sums.bars_created + p_batch.bars_created,
    p_sums.bars_quality_poor + p_batch.bars_quality_poor,
    p_sums.bars_corrected + p_batch.bars_corrected,
    p_sums.failed + p_batch.failed,
    p_sums.notes + p_batch.notes;
$$;

create function public.agg_run_due(
  p_env text default null,
  p_limit integer default 10000,
  p_now timestamptz default now(),
  p_time_budget interval default interval '40 seconds',
  p_batch_windows integer default 100000
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- Compiling the plan of a run over all tasks would take longer than the run.
set jit = off
set statement_timeout = '120s'
as $$
declare
  v_started_at constant timestamptz := clock_timestamp();
  v_env constant text := agg.current_env(p_env);
  v_stopped_reason text;
  v_batch agg.batch_result;
  v_batches integer := 0;
  v_sums agg.batch_result := row(0, 0, 0, 0, 0, 0, 0);
begin
  if p_now is null or not isfinite(p_now) or p_time_budget is null
    or coalesce(p_limit, 0) < 1 or coalesce(p_batch_windows, 0) < 1
  then
    raise exception 'p_now and p_time_budget must not be null, p_now must be finite, p_limit and p_batch_windows at least 1'
      using errcode = 'invalid_parameter_value';
  end if;
  -- Held to the end of the transaction, so that no dead or pooled session can keep it.
  if not pg_try_advisory_xact_lock(hashtextextended('pgbars.agg_run_due', 0)) then
    v_stopped_reason := 'busy';
  end if;

  while v_stopped_reason is null loop
    v_batch := agg.run_batch(v_env, p_limit, p_now, p_batch_windows);
    v_batches := v_batches + (v_batch.tasks > 0)::integer;
    v_sums := agg.add_batches(v_sums, v_batch);
    if v_batch.tasks = 0 and v_batch.notes = 0 then
      v_stopped_reason := 'idle';
    elsif clock_timestamp() >= v_started_at + p_time_budget then
      v_stopped_reason := 'time_budget';
    end if;
  end loop;

  if v_sums.failed > 0 then
    perform agg.refresh_alerts(p_now);
  end if;
  insert into agg.run_log (
    started_at, finished_at, env, batches, tasks, windows, bars_created, bars_quality_poor, bars_corrected, failed, stopped_reason
  )
  values (
    v_started_at, clock_timestamp(), v_env, v_batches, v_sums.tasks, v_sums.windows,
    v_sums.bars_created, v_sums.bars_quality_poor, v_sums.bars_corrected, v_sums.failed, v_stopped_reason
  );
  return jsonb_build_object(
    'tasks', v_sums.tasks,
    'windows', v_sums.windows,
    'bars_created', v_sums.bars_created,
    'bars_quality_poor', v_sums.bars_quality_poor,
    'bars_corrected', v_sums.bars_corrected,
    'failed', v_sums.failed,
    'batches', v_batches,
    'stopped_reason', v_stopped_reason
  );
end;
$$;

revoke execute on function agg.fail_kind(text) from public, anon, authenticated, service_role;
revoke execute on function agg.build_or_split(agg.build_order[], integer) from public, anon, authenticated, service_role;
revoke execute on function agg.advance_tasks(agg.claim[], timestamptz, integer) from public, anon, authenticated, service_role;
revoke execute on function agg.claim_corrections(text, text, integer, timestamptz) from public, anon, authenticated, service_role;
revoke execute on function agg.correct_tasks(agg.claim[], timestamptz, integer) from public, anon, authenticated, service_role;
revoke execute on function agg.add_batches(agg.batch_result, agg.batch_result) from public, anon, authenticated, service_role;
revoke execute on function agg.run_batch(text, integer, timestamptz, integer) from public, anon, authenticated, service_role;
revoke execute on function public.agg_run_due(text, integer, timestamptz, interval, integer) from public, anon, authenticated, service_role;
grant execute on function public.agg_run_due(text, integer, timestamptz, interval, integer) to service_role;

comment on function agg.fail_kind(text) is
  'transient for what may pass by itself (connection, serialization, resources, operator, lock, a bar that somebody else has just stored), otherwise hard. A cancelled statement is neither: it ends the run.';
comment on function agg.build_or_split(agg.build_order[], integer) is
  'agg.build_bars, and where that raises, each half on its own, down to single orders, and an order of all its windows that fails hard is halved in time as well, p_time_splits times: what is bad fails alone, or with few neighbours, after as many tries as their number has binary digits, and comes back with its error.';
comment on function agg.advance_tasks(agg.claim[], timestamptz, integer) is
  'Plans, builds and finishes the claimed tasks. The caller holds their row locks, taken in an earlier statement.';
comment on function agg.claim_corrections(text, text, integer, timestamptz) is
  'Locks up to p_limit tasks of a timeframe that have corrections waiting, until the end of the transaction; those first that wait longest since they were last worked on. Never waits: rows locked by others are passed over, and so are tasks that a worker has claimed. Build in a later statement, so that its snapshot is younger than the locks.';
comment on function agg.correct_tasks(agg.claim[], timestamptz, integer) is
  'Builds again what the corrections of the claimed tasks ask for, at most p_max_windows windows a task, newest first; the rest waits on. What fails is tried again after a minute, then ever later, and holds up nothing else. Moves no cursor.';
comment on function agg.run_batch(text, integer, timestamptz, integer) is
  'One batch in the caller''s transaction: reads change notes, advances due tasks of one timeframe together, and makes corrections level by level. At most p_batch_windows windows for the due tasks and for the corrections of a level, shared evenly between tasks, so that no symbol holds up another. tasks and notes are 0 when there was nothing to do. Waits for nobody''s task, and half a second for whoever holds a bar, then a hundredth for each further try; raises lock_not_available after 500 tries, as with a locked table. Any number may run side by side.';
comment on function agg.add_batches(agg.batch_result, agg.batch_result) is 'The sums of two batches.';
comment on function public.agg_run_due(text, integer, timestamptz, interval, integer) is
  'The dispatcher: runs batches in the caller''s transaction until nothing is due (idle) or p_time_budget of wall clock is over after a batch (time_budget; interval ''0'' is one batch); returns at once when another dispatcher is at work (busy). p_env: assets of which environment (null: that of the database). Transactions that add assets wait for one that has read change notes, so do not keep it open. Writes one row of agg.run_log. The job of agg.job_list calls it batch by batch and commits each. Returns tasks, windows, bars_created, bars_quality_poor, bars_corrected, failed, batches, stopped_reason.';
