comment on function agg.claim_due_tasks is
'Locks up to p_limit due tasks of one timeframe to the end of the transaction, and returns their symbols; no symbols where nothing is due.
Order: mandatory first, then shorter timeframe, priority, least recent success.
Locks: never waits; passes over rows that others have locked. Build in a later statement, so that its snapshot is younger than the locks.';

create function agg.claim_due_tasks(
  p_env text, p_limit integer, p_now timestamptz, out timeframe text, out symbols text[]
)
returns record
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_next timestamptz;
  v_first record;
begin
  symbols := '{}';
  -- The first entry of an index, by a plan that is made once: an idle run costs no more.
  select s.next_run_at into v_next from agg.runnable_task as s order by s.next_run_at limit 1;
  if v_next is null or v_next > p_now then
    return;
  end if;

  select s.timeframe, s.is_mandatory into v_first
  from agg.runnable_task as s
  join agg.timeframe as t on t.timeframe = s.timeframe
  join agg.active_asset as a on a.canonical_symbol = s.canonical_symbol and a.is_test = (select agg.is_test(p_env))
  where s.next_run_at <= p_now
  order by s.is_mandatory desc, t.duration, s.task_priority, s.last_successful_at_utc nulls first
  limit 1
  for update of s skip locked;

  timeframe := v_first.timeframe;
  symbols := array(
    select s.canonical_symbol
    from agg.runnable_task as s
    join agg.active_asset as a on a.canonical_symbol = s.canonical_symbol and a.is_test = (select agg.is_test(p_env))
    where s.next_run_at <= p_now and s.timeframe = v_first.timeframe and s.is_mandatory = v_first.is_mandatory
    order by s.task_priority, s.last_successful_at_utc nulls first
    limit p_limit
    for update of s skip locked
  );
end;
$$;
