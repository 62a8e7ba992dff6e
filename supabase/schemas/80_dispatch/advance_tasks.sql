comment on function agg.advance_tasks is
'Plans, builds and finishes claimed tasks of one timeframe. The caller holds their row locks, taken in an earlier statement.
A window that fails hard costs itself only, where others of its task can be built: the cursor passes it, and it waits as a correction that failed.';

create function agg.advance_tasks(p_symbols text[], p_timeframe text, p_now timestamptz, p_max_windows integer)
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
    from agg.build_or_split(array(select q from agg.plan_builds(p_symbols, p_timeframe, p_now, p_max_windows, null) as q)) as r
  );
  perform agg.finish_tasks(v_results, p_now);

  select
    sum(n.symbols), sum(r.windows * n.symbols), sum(r.bars * n.symbols), sum(r.bars_poor * n.symbols), 0,
    sum(n.symbols) filter (where r.error is not null), 0
  into
    v_sums.tasks, v_sums.windows, v_sums.bars_created, v_sums.bars_quality_poor, v_sums.bars_corrected, v_sums.failed, v_sums.notes
  from unnest(v_results) as r
  cross join lateral (select cardinality(r.symbols)) as n (symbols);
  if v_sums.failed > 0 then
    insert into agg.correction (canonical_symbol, timeframe, spans, changed_at, failures, retry_at, error)
    select y.symbol, r.timeframe, p.spans, now(), 1, p_now + agg.retry_delay(0, 'hard'), r.error
    from unnest(v_results) as r
    cross join lateral unnest(r.symbols) as y (symbol)
    cross join lateral (select r.failed * tstzmultirange(tstzrange(null, r.decided_to_utc))) as p (spans)
    where r.fail_kind is null and not isempty(p.spans);
  end if;
  return agg.sum_batches(v_sums, null);
end;
$$;
