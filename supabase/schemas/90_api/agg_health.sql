comment on function public.agg_health is
'Says how every task stands at p_now, and why.
state: current, market_closed, paused (agg_pause: something is due, and waits for the end of the pause), due, catching_up, waiting_for_data, waiting_for_source, never_ran, overdue, running, failing, hard_failed, disabled or switched_off; unregistered for a symbol that has bars but is not in core_asset_registry_all.
lag: for how long the next window could have been decided (zero: nothing to do). due_for: for how long no dispatcher has taken it; a pause does not count. Both go by the next window in which session and calendar are open.
market_closed: everything that was open is decided, and nothing is open now.
A basket that waits names the component that ends first, with its last bar. waiting_for_data looks for a source bar before it says so; of a task that sleeps (next_run_at infinity) it says what its last run found. Reads only.';

create function public.agg_health(p_now timestamptz default now())
returns table (
  canonical_symbol text,
  timeframe text,
  status text,
  cursor_utc timestamptz,
  lag interval,
  due_for interval,
  next_run_at timestamptz,
  state text,
  explanation text
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select h.canonical_symbol, h.timeframe, h.status, h.cursor_utc, h.lag, h.due_for, h.next_run_at, h.state, h.explanation
  from agg.task_health(p_now) as h
  order by h.canonical_symbol, h.run_interval_minutes;
$$;
