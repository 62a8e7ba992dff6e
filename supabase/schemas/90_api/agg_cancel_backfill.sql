comment on function public.agg_cancel_backfill is
'Ends what agg_backfill has begun, and what changes of the registry asked to be built again: history that is not built yet stays as it is.
p_symbols and p_timeframes: null is all. What is built already stays. agg_verify lists what is missing; agg_backfill and agg_repair have it built after all.
Returns success, and how many windows of how many tasks it left.
Locks: the rows of the tasks, to the end of the transaction; waits for a dispatcher that holds one. Raises no_data_found for a symbol without tasks, invalid_parameter_value for an unknown timeframe.';

create function public.agg_cancel_backfill(p_symbols text[] default null, p_timeframes text[] default null)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
set statement_timeout = '60s'
as $$
declare
  v_left agg.changed_span[];
begin
  perform agg.require_tasks(p_symbols, p_timeframes);
  perform
  from public.data_agg_state as s
  where (p_symbols is null or s.canonical_symbol = any (p_symbols)) and (p_timeframes is null or s.timeframe = any (p_timeframes))
  order by s.canonical_symbol, s.run_interval_minutes
  for update;
  with cancelled as (
    delete from agg.correction as k
    where k.is_backfill
      and (p_symbols is null or k.canonical_symbol = any (p_symbols)) and (p_timeframes is null or k.timeframe = any (p_timeframes))
    returning k.canonical_symbol, k.timeframe, k.spans
  )
  select array_agg((c.canonical_symbol, c.timeframe, c.spans, now(), 0)::agg.changed_span)
  into v_left
  from (
    select k.canonical_symbol, k.timeframe, range_agg(k.spans) as spans from cancelled as k group by k.canonical_symbol, k.timeframe
  ) as c;
  return (
    select jsonb_build_object(
      'success', true,
      'tasks', count(distinct (y.symbol, q.timeframe)),
      'windows', coalesce(sum(round(extract(epoch from q.to_utc - q.from_utc) / extract(epoch from q.window_length))), 0)::bigint
    )
    from agg.rebuild_requests(v_left) as q
    cross join lateral unnest(q.symbols) as y (symbol)
  );
end;
$$;
