comment on function agg.correct_tasks is
'Builds again what the corrections of claimed tasks of one timeframe ask for, p_is_backfill those of history: at most p_max_windows windows a task, newest first; the rest waits on. Moves no cursor. Wakes a task whose source has changed ahead of the cursor.
What fails waits for agg.retry_delay, and holds up nothing else.';

create function agg.correct_tasks(
  p_symbols text[], p_timeframe text, p_now timestamptz, p_max_windows integer, p_is_backfill boolean default false
)
returns agg.batch_result
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
  v_taken agg.correction[];
  v_changes agg.changed_span[];
  v_requests agg.build_request[];
  v_results agg.build_result[];
  v_sums agg.batch_result;
begin
  with taken as (
    delete from agg.correction as k
    using unnest(p_symbols) as c (symbol)
    where k.canonical_symbol = c.symbol and k.timeframe = p_timeframe and k.is_backfill = p_is_backfill and k.retry_at <= p_now
    returning k as correction
  )
  select array_agg(t.correction)
  into v_taken
  from taken as t;
  v_changes := array(
    select (t.canonical_symbol, t.timeframe, range_agg(t.spans), min(t.changed_at), max(t.failures))::agg.changed_span
    from unnest(v_taken) as t
    group by t.canonical_symbol, t.timeframe
  );
  -- Built is what lies behind the cursor; what lies ahead of it may be what the task sleeps for.
  perform agg.wake_tasks(v_changes);
  v_requests := array(select q from agg.rebuild_requests(v_changes, p_max_windows) as q);
  v_results := array(select r from agg.build_or_split(v_requests) as r);

  -- What is older than the requests is left for later.
  if exists (select from unnest(v_requests) as q where q.is_limited) then
    insert into agg.correction (canonical_symbol, timeframe, spans, changed_at, failures, is_backfill)
    select k.canonical_symbol, k.timeframe, w.spans, k.changed_at, k.failures, p_is_backfill
    from (
      select
        c.canonical_symbol, c.timeframe,
        range_agg(c.spans) as spans, min(c.changed_at) as changed_at, max(c.failures) as failures, min(c.from_utc) as from_utc
      from (
        select c.canonical_symbol, c.timeframe, c.spans, c.changed_at, c.failures, null::timestamptz as from_utc
        from unnest(v_changes) as c
        union all
        select y.symbol, q.timeframe, null, null, null, q.from_utc
        from unnest(v_requests) as q
        cross join lateral unnest(q.symbols) as y (symbol)
      ) as c
      group by c.canonical_symbol, c.timeframe
    ) as k
    cross join lateral (select k.spans * tstzmultirange(tstzrange(null, k.from_utc))) as w (spans)
    where k.from_utc is not null and not isempty(w.spans);
  end if;

  select
    cardinality(p_symbols), coalesce(sum(r.windows * cardinality(r.symbols)), 0), 0, 0,
    coalesce(sum((r.inserted + r.updated + r.removed) * cardinality(r.symbols)), 0),
    (select count(distinct y.symbol) from unnest(v_results) as e cross join lateral unnest(e.symbols) as y (symbol) where e.error is not null), 0
  into
    v_sums.tasks, v_sums.windows, v_sums.bars_created, v_sums.bars_quality_poor, v_sums.bars_corrected, v_sums.failed, v_sums.notes
  from unnest(v_results) as r;
  if p_is_backfill then
    select coalesce(sum(round(extract(epoch from q.to_utc - q.from_utc) / extract(epoch from q.window_length)) * cardinality(q.symbols)), 0)
    into v_sums.windows_backfilled
    from unnest(v_requests) as q;
  end if;
  if v_sums.failed > 0 then
    insert into agg.correction (canonical_symbol, timeframe, spans, changed_at, failures, retry_at, error, is_backfill)
    select
      y.symbol, r.timeframe, r.failed, b.changed_at, b.failures + 1,
      p_now + agg.retry_delay(b.failures, coalesce(r.fail_kind, 'hard')), r.error, p_is_backfill
    from unnest(v_results) as r
    cross join lateral unnest(r.symbols) as y (symbol)
    cross join lateral (
      select min(t.changed_at), least(max(t.failures), 1000000)
      from unnest(v_taken) as t
      where t.canonical_symbol = y.symbol and t.timeframe = r.timeframe and t.spans && r.failed
    ) as b (changed_at, failures)
    where r.error is not null;
  end if;
  return v_sums;
end;
$$;
