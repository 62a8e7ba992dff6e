comment on function agg.claim_due_tasks is
  'Locks up to p_limit due tasks of one timeframe until the end of the transaction: mandatory first, then shorter timeframe, priority, least recent success. Never waits: rows locked by others are passed over. Build in a later statement, so that its snapshot is younger than the locks.';

create function agg.claim_due_tasks(p_env text, p_limit integer, p_now timestamptz)
returns agg.claim[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_first record;
begin
  select s.timeframe, s.is_mandatory into v_first
  from agg.runnable_task as s
  join agg.timeframe as t on t.timeframe = s.timeframe
  where s.next_run_at <= p_now
    and s.canonical_symbol in (select a.symbol from agg.active_symbols(p_env) as a (symbol))
  order by s.is_mandatory desc, t.duration, s.task_priority, s.last_successful_at_utc nulls first
  limit 1
  for update of s skip locked;
  if not found then
    return array[]::agg.claim[];
  end if;

  return array(
    select row(s.canonical_symbol, s.timeframe, s.last_agg_bar_ts_utc)::agg.claim
    from agg.runnable_task as s
    where s.next_run_at <= p_now and s.timeframe = v_first.timeframe and s.is_mandatory = v_first.is_mandatory
      and s.canonical_symbol in (select a.symbol from agg.active_symbols(p_env) as a (symbol))
    order by s.task_priority, s.last_successful_at_utc nulls first
    limit p_limit
    for update of s skip locked
  );
end;
$$;
