comment on function agg.raise_floors is
'Raises floors to the UTC day that metadata.agg.keep says at p_now. Returns how many.
A floor goes no further than the tasks that read the bars have decided, and not past a window that waits to be built again: it costs no bar that is not made yet. A sync then moves the starts of tasks.';

create function agg.raise_floors(p_now timestamptz)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_raised integer;
begin
  with wanted as materialized (
    select r.canonical_symbol, t.timeframe, d.floor_utc
    from public.core_asset_registry_all as r
    cross join lateral jsonb_each(
      case jsonb_typeof(r.metadata -> 'agg' -> 'keep') when 'object' then r.metadata -> 'agg' -> 'keep' else '{}' end
    ) as k (timeframe, value)
    join agg.timeframe as t on t.timeframe = k.timeframe
    cross join lateral (
      select date_trunc('day', p_now at time zone 'UTC' - agg.kept_for(k.value)) at time zone 'UTC'
    ) as d (floor_utc)
    left join agg.floor as f on f.canonical_symbol = r.canonical_symbol and f.timeframe = k.timeframe
    where d.floor_utc > coalesce(f.floor_utc, '-infinity')
      -- Bars of an asset that is not built are all kept: they may be all that there is of it.
      and exists (select from public.data_agg_state as s where s.canonical_symbol = r.canonical_symbol and s.enabled)
  ),
  reader as materialized (
    select w.canonical_symbol, w.timeframe, s.canonical_symbol as reader_symbol, s.timeframe as reader_timeframe, s.decided_to_utc
    from wanted as w
    join agg.task as s on s.canonical_symbol = w.canonical_symbol and s.source_timeframe = w.timeframe and s.timeframe <> w.timeframe and s.enabled
    union all
    select w.canonical_symbol, w.timeframe, s.canonical_symbol, s.timeframe, s.decided_to_utc
    from wanted as w
    join agg.task_component as k on k.component = w.canonical_symbol and w.timeframe = '1m'
    join agg.task as s on s.canonical_symbol = k.canonical_symbol and s.timeframe = '1m' and s.enabled
  ),
  waiting as materialized (
    select c.canonical_symbol, c.timeframe, coalesce(lower(c.spans), '-infinity') as from_utc
    from agg.waiting_changes() as c
    where exists (select from reader)
  ),
  held as (
    select r.canonical_symbol, r.timeframe, min(least(r.decided_to_utc, w.from_utc)) as to_utc
    from reader as r
    left join waiting as w on w.canonical_symbol = r.reader_symbol and w.timeframe = r.reader_timeframe
    group by r.canonical_symbol, r.timeframe
  )
  insert into agg.floor as f (canonical_symbol, timeframe, floor_utc)
  select w.canonical_symbol, w.timeframe, d.floor_utc
  from wanted as w
  left join held as h on h.canonical_symbol = w.canonical_symbol and h.timeframe = w.timeframe
  cross join lateral (select date_trunc('day', least(w.floor_utc, h.to_utc) at time zone 'UTC') at time zone 'UTC') as d (floor_utc)
  where isfinite(d.floor_utc)
  order by w.canonical_symbol, w.timeframe
  on conflict (canonical_symbol, timeframe) do update set floor_utc = excluded.floor_utc where excluded.floor_utc > f.floor_utc;
  get diagnostics v_raised = row_count;
  return v_raised;
end;
$$;
