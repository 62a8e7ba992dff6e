comment on function public.agg_backfill is
'Has history built behind the work of the moment: the windows of tasks in [p_from, p_to).
p_symbols and p_timeframes: null is all. p_from: null is the start of each task; before the start of an asset it moves metadata.agg.start_utc back, for all timeframes of the asset. p_to: null is up to now. Windows that they cut count whole. Behind a floor (metadata.agg.keep) nothing is built. p_now is the clock.
A task whose cursor lies before p_to goes on with the window of its last source bar, so that live windows are first; what it passes is history as well. A task that a worker has claimed keeps its cursor.
A dispatcher builds history where no task is due and no other correction waits: shorter timeframes first, newest windows first. agg_pending shows what is left and how fast it goes; agg_cancel_backfill ends it. May be repeated.
Returns success, and how many windows of how many tasks.
Locks: the rows of the tasks, to the end of the transaction; waits for a dispatcher that holds one. Raises no_data_found for a symbol without tasks, invalid_parameter_value for an unknown timeframe or an empty range.';

create function public.agg_backfill(
  p_symbols text[] default null,
  p_timeframes text[] default null,
  p_from timestamptz default null,
  p_to timestamptz default null,
  p_now timestamptz default now()
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- The start that it writes into metadata.
set timezone = 'UTC'
set jit = off
set statement_timeout = '60s'
as $$
declare
  v_timeframe text;
  v_symbols text[];
  v_changes agg.changed_span[] := array[]::agg.changed_span[];
begin
  perform agg.require_tasks(p_symbols, p_timeframes);
  if p_from >= coalesce(p_to, p_now) then
    raise exception '[%, %) is not a range of time', p_from, coalesce(p_to, p_now) using errcode = 'invalid_parameter_value';
  end if;

  -- The tasks follow in this statement: what lies between the starts is history.
  update public.core_asset_registry_all as r
  set metadata = r.metadata || jsonb_build_object('agg', coalesce(r.metadata -> 'agg', '{}') || jsonb_build_object('start_utc', p_from))
  where (p_symbols is null or r.canonical_symbol = any (p_symbols))
    and coalesce(agg.utc_instant(r.metadata -> 'agg' ->> 'start_utc') > p_from, true)
    and exists (
      select
      from public.data_agg_state as s
      where s.canonical_symbol = r.canonical_symbol and s.agg_start_utc > p_from and (p_timeframes is null or s.timeframe = any (p_timeframes))
    );

  perform
  from public.data_agg_state as s
  where (p_symbols is null or s.canonical_symbol = any (p_symbols)) and (p_timeframes is null or s.timeframe = any (p_timeframes))
  order by s.canonical_symbol, s.run_interval_minutes
  for update;
  -- A task follows its source no further than that has got.
  for v_timeframe in
    select t.timeframe from agg.timeframe as t where p_timeframes is null or t.timeframe = any (p_timeframes) order by t.duration
  loop
    v_symbols := array(
      select s.canonical_symbol
      from public.data_agg_state as s
      where s.timeframe = v_timeframe and s.enabled and (p_symbols is null or s.canonical_symbol = any (p_symbols))
    );
    v_changes := v_changes || agg.make_history(v_symbols, v_timeframe, p_from, p_to, p_now);
  end loop;
  perform agg.add_corrections(v_changes, p_is_backfill => true);
  return (
    select jsonb_build_object(
      'success', true,
      'tasks', count(distinct (y.symbol, q.timeframe)),
      'windows', coalesce(sum(round(extract(epoch from q.to_utc - q.from_utc) / extract(epoch from q.window_length))), 0)::bigint
    )
    from agg.rebuild_requests(array(
      select (c.canonical_symbol, c.timeframe, range_agg(c.spans), now(), 0)::agg.changed_span
      from unnest(v_changes) as c
      group by c.canonical_symbol, c.timeframe
    )) as q
    cross join lateral unnest(q.symbols) as y (symbol)
  );
end;
$$;
