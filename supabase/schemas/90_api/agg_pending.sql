comment on function public.agg_pending is
'Lists the decided windows that wait to be built, or built again because their source changed.
A row a task: how many windows, from where to where, since when (oldest, at p_now), how often it failed, and what it waits for. A second row (is_backfill) for history, which agg_backfill or a change of the registry asked for. windows_a_minute is how many windows of all history were done a minute, over the last ten minutes of the wall clock; null where none were. No row: every stored bar is up to date with the change notes. Reads only.';

create function public.agg_pending(p_now timestamptz default now())
returns table (
  canonical_symbol text,
  timeframe text,
  windows bigint,
  from_utc timestamptz,
  to_utc timestamptz,
  oldest interval,
  failures integer,
  explanation text,
  is_backfill boolean,
  windows_a_minute bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_changes constant agg.changed_span[] := array(select c from agg.waiting_changes(false) as c);
  v_history constant agg.changed_span[] := array(select c from agg.waiting_changes(true) as c);
  v_rate constant bigint := (
    select round(sum(l.windows_backfilled) / greatest(1, extract(epoch from clock_timestamp() - min(l.started_at)) / 60))
    from agg.run_log as l
    where l.finished_at > clock_timestamp() - interval '10 minutes' and l.windows_backfilled > 0
  );
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
      when g.is_backfill then 'built when no task is due and no other correction waits'
      else 'the next run takes it'
    end,
    g.is_backfill, case when g.is_backfill then v_rate end
  from (values (false, v_changes), (true, v_history)) as g (is_backfill, changes)
  cross join lateral unnest(g.changes) as c
  join (
    select
      h.is_backfill, y.symbol as canonical_symbol, r.timeframe,
      sum(round(extract(epoch from r.to_utc - r.from_utc) / extract(epoch from r.window_length)))::bigint as windows,
      min(r.from_utc) as from_utc,
      max(r.to_utc) as to_utc
    from (values (false, v_changes), (true, v_history)) as h (is_backfill, changes)
    cross join lateral agg.rebuild_requests(h.changes) as r
    cross join lateral unnest(r.symbols) as y (symbol)
    group by h.is_backfill, y.symbol, r.timeframe
  ) as o on o.is_backfill = g.is_backfill and o.canonical_symbol = c.canonical_symbol and o.timeframe = c.timeframe
  join public.data_agg_state as s on s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe
  left join lateral (
    select k.retry_at, k.error
    from agg.correction as k
    where k.canonical_symbol = c.canonical_symbol and k.timeframe = c.timeframe and k.is_backfill = g.is_backfill and k.error is not null
    order by k.retry_at
    limit 1
  ) as e on true
  order by s.canonical_symbol, s.run_interval_minutes, g.is_backfill;
end;
$$;
