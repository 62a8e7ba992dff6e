comment on function agg.recover_abandoned_claims is
'Frees tasks that a worker claimed with agg_start 15 minutes ago or longer and never finished. Returns how many.
A claim that began more than 15 minutes after p_now is as old: the clock that dated it was ahead.
Locks: passes over rows that others have locked.';

create function agg.recover_abandoned_claims(p_now timestamptz)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_recovered integer;
begin
  update public.data_agg_state as s
  set
    status = case when s.hard_fail_streak >= abandoned.hard_failures then 'hard_failed' else 'idle' end,
    running_started_at_utc = null,
    next_run_at = p_now,
    last_error = format('claim of %s was abandoned', s.running_started_at_utc),
    updated_at = now()
  from (
    select a.canonical_symbol, a.timeframe, d.hard_failures
    from public.data_agg_state as a
    cross join agg.defaults as d
    where a.status = 'running'
      and a.running_started_at_utc not between p_now - d.overdue_after + interval '1 microsecond' and p_now + d.overdue_after
    for update of a skip locked
  ) as abandoned
  where s.canonical_symbol = abandoned.canonical_symbol and s.timeframe = abandoned.timeframe;
  get diagnostics v_recovered = row_count;
  return v_recovered;
end;
$$;
