comment on function agg.advance_tasks is
  'Plans, builds and finishes the claimed tasks. The caller holds their row locks, taken in an earlier statement.';

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
