comment on function public.agg_pending is
'Lists the decided windows that wait to be built again because their source changed.
A row a task: how many windows, from where to where, since when (oldest, at p_now), how often it failed, and what it waits for. No row: every stored bar is up to date with the change notes. Reads only.';

create function public.agg_pending(p_now timestamptz default now())
returns table (
  canonical_symbol text,
  timeframe text,
  windows bigint,
  from_utc timestamptz,
  to_utc timestamptz,
  oldest interval,
  failures integer,
  explanation text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_changes constant agg.changed_span[] := array(select c from agg.waiting_changes() as c);
  v_holder constant integer := agg.new_tasks_holder();
begin
  return query
  select
    s.canonical_symbol, s.timeframe, o.windows, o.from_utc, o.to_utc,
    greatest(interval '0', p_now - c.changed_at), c.failures,
    case
      when not s.enabled then 'waits until the asset is switched on again'
      when s.status = 'disabled' then 'waits: the task is disabled after failures'
      when not exists (
        select from agg.active_asset as a where a.canonical_symbol = s.canonical_symbol
      ) then 'waits until the asset is active again'
      when s.running_started_at_utc is not null then format('waits for the worker that has claimed the task since %s', s.running_started_at_utc)
      when e.error is not null then format('failed, next try at %s: %s', e.retry_at, e.error)
      when v_holder is not null then format('waits for the open transaction of backend %s, which has added assets', v_holder)
      else 'the next run takes it'
    end
  from unnest(v_changes) as c
  join (
    select
      y.symbol as canonical_symbol, r.timeframe,
      sum(round(extract(epoch from r.to_utc - r.from_utc) / extract(epoch from r.window_length)))::bigint as windows,
      min(r.from_utc) as from_utc,
      max(r.to_utc) as to_utc
    from agg.rebuild_requests(v_changes) as r
    cross join lateral unnest(r.symbols) as y (symbol)
    group by y.symbol, r.timeframe
  ) as o on o.canonical_symbol = c.canonical_symbol and o.timeframe = c.timeframe
  join public.data_agg_state as s on s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe
  left join lateral (
    select k.retry_at, k.error
    from agg.correction as k
    where k.canonical_symbol = c.canonical_symbol and k.timeframe = c.timeframe and k.error is not null
    order by k.retry_at
    limit 1
  ) as e on true
  order by s.canonical_symbol, s.run_interval_minutes;
end;
$$;
