comment on function agg.run_batch is
'One batch in the transaction of the caller: reads change notes, advances due tasks of one timeframe together, and makes corrections level by level. History (agg.correction.is_backfill) it builds only where it found nothing of these, one timeframe a batch: what falls due next waits for no more than that.
At most p_batch_windows windows for the due tasks and for the corrections of a level, shared evenly between tasks, so that no symbol holds up another. Where agg.environment has several lanes, it takes its share of what is due. tasks and notes are 0 when there was nothing to do, as in a pause (agg_pause).
Locks: waits for no task; waits 500 ms for a locked bar, then 10 ms for each further one. Raises lock_not_available after 500 waits, as with a locked table. Any number of batches may run side by side.';

create function agg.run_batch(
  p_env text default null,
  p_limit integer default 10000,
  p_now timestamptz default now(),
  p_batch_windows integer default 50000
)
returns agg.batch_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- A transaction may keep a bar locked for as long as it is open.
set lock_timeout = '500ms'
as $$
declare
  v_env constant text := agg.current_env(p_env);
  v_lanes constant integer := (select e.lanes from agg.environment as e);
  v_sums agg.batch_result;
  v_claim record;
  v_is_backfill boolean;
  v_length interval;
  v_timeframe text;
  v_symbols text[];
begin
  if agg.is_paused(p_now) then
    return agg.sum_batches(null, null);
  end if;
  perform agg.require_fresh_snapshots();
  perform set_config('pgbars.lock_waits', '0', true);
  perform set_config('pgbars.failed_builds', '0', true);
  v_sums.notes := agg.take_notes(1000);
  perform agg.recover_abandoned_claims(p_now);

  v_claim := agg.claim_due_tasks(v_env, p_limit, p_now, v_lanes);
  if cardinality(v_claim.symbols) > 0 then
    v_sums := agg.sum_batches(
      v_sums,
      agg.advance_tasks(v_claim.symbols, v_claim.timeframe, p_now, greatest(1, p_batch_windows / cardinality(v_claim.symbols)))
    );
  end if;

  foreach v_is_backfill in array array[false, true] loop
    exit when v_is_backfill and v_sums.tasks > 0;
    v_length := interval '0';
    -- From level to level: what one changes is a correction of the next.
    loop
      select t.timeframe, t.duration into v_timeframe, v_length
      from agg.timeframe as t
      where t.duration > v_length
        and t.timeframe in (select k.timeframe from agg.correction as k where k.is_backfill = v_is_backfill and k.retry_at <= p_now)
      order by t.duration
      limit 1;
      exit when not found;
      v_symbols := agg.claim_corrections(v_env, v_timeframe, p_limit, p_now, v_lanes, v_is_backfill);
      if cardinality(v_symbols) > 0 then
        v_sums := agg.sum_batches(
          v_sums,
          agg.correct_tasks(v_symbols, v_timeframe, p_now, greatest(1, p_batch_windows / cardinality(v_symbols)), v_is_backfill)
        );
        exit when v_is_backfill;
      end if;
    end loop;
  end loop;
  return agg.sum_batches(v_sums, null);
end;
$$;
