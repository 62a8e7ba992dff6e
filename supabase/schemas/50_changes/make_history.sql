comment on function agg.make_history is
'Lets tasks of one timeframe go on with the window of their last source bar before p_now (p_to, if that is earlier), and returns what is history then: [p_from, p_to), and what the cursors passed. A null is without bound.
A task that a worker has claimed keeps its cursor. The caller holds the tasks.';

create function agg.make_history(
  p_symbols text[], p_timeframe text, p_from timestamptz, p_to timestamptz, p_now timestamptz
)
returns agg.changed_span[]
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
  v_moved agg.changed_span[];
begin
  with live as materialized (
    select t.canonical_symbol, t.decided_to_utc, e.end_utc, agg.bootstrap_cursor(e.end_utc, q.window_length, q.window_time_zone, q.window_origin) as cursor_utc
    from agg.plan_builds(p_symbols, p_timeframe, p_now, null, null) as q
    cross join lateral unnest(q.symbols) as y (symbol)
    join agg.task as t on t.canonical_symbol = y.symbol and t.timeframe = p_timeframe
    cross join lateral (
      select case
        when q.source_timeframe is null then q.to_utc - interval '1 minute'
        else (
          select b.ts_utc
          from agg.source_bar as b
          where b.canonical_symbol = y.symbol and b.timeframe = q.source_timeframe and b.is_derived = (q.source_timeframe <> '1m')
            and b.ts_utc < p_now and b.covered_minutes > 0
          order by b.ts_utc desc
          limit 1
        )
      end
    ) as l (last_utc)
    cross join lateral (
      select agg.window_start(least(l.last_utc, q.frontier_utc, p_to), q.window_length, q.window_time_zone, q.window_origin)
    ) as e (end_utc)
    where l.last_utc is not null and e.end_utc > greatest(t.decided_to_utc, q.from_utc) and t.running_started_at_utc is null
  ),
  moved as (
    update public.data_agg_state as s
    set
      last_agg_bar_ts_utc = l.cursor_utc,
      built_to_utc = nullif(greatest(s.built_to_utc, l.end_utc), l.end_utc),
      next_run_at = agg.due_at(
        l.cursor_utc, make_interval(mins => s.run_interval_minutes), s.aggregation_delay_seconds, s.window_time_zone, s.window_origin
      ),
      updated_at = now()
    from live as l
    where s.canonical_symbol = l.canonical_symbol and s.timeframe = p_timeframe
    returning s.canonical_symbol, l.decided_to_utc, l.end_utc
  )
  select array_agg((
    m.canonical_symbol, p_timeframe, tstzmultirange(tstzrange(m.decided_to_utc, m.end_utc)), now(), 0
  )::agg.changed_span)
  into v_moved
  from moved as m;

  if v_moved is not null then
    perform agg.wake_dependents(array(select m.canonical_symbol from unnest(v_moved) as m), p_timeframe);
  end if;
  return v_moved || array(
    select (y.symbol, p_timeframe, tstzmultirange(tstzrange(p_from, p_to)), now(), 0)::agg.changed_span
    from unnest(p_symbols) as y (symbol)
  );
end;
$$;
