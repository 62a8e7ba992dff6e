comment on function agg.changes_from_notes is
'Says what change notes mean for tasks. These build from what changed: the tasks of the symbol whose source is 1m; the synthetic series that have it in their basket; and a synthetic series itself where someone other than its builder wrote to it.';

create function agg.changes_from_notes(p_note_ids bigint[])
returns setof agg.changed_span
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
begin
  return query
  with noted as materialized (
    select
      u.symbol, n.changed_at, n.is_built, tstzrange(u.from_utc, coalesce(u.to_utc, u.from_utc + interval '1 minute')) as span
    from agg.change_note as n
    cross join lateral unnest(coalesce(n.symbols, array[null]), n.from_utc, n.to_utc) as u (symbol, from_utc, to_utc)
    where n.note_id = any (p_note_ids)
  ),
  merged as materialized (
    select
      m.symbol, range_agg(m.span) as spans, range_agg(m.span) filter (where not m.is_built) as foreign_spans, min(m.changed_at) as changed_at
    from (
      select n.symbol, n.span, n.changed_at, n.is_built from noted as n where n.symbol is not null
      union all
      select a.canonical_symbol, n.span, n.changed_at, n.is_built
      from noted as n
      cross join lateral (
        select s.canonical_symbol from public.data_agg_state as s
        union all
        select k.component from agg.task_component as k
      ) as a
      where n.symbol is null
    ) as m
    group by m.symbol
  )
  select m.symbol, t.timeframe, m.spans, m.changed_at, 0
  from merged as m
  cross join agg.timeframe as t
  where t.source_timeframe = '1m'
  union all
  select d.symbol, '1m', range_agg(d.spans), min(d.changed_at), 0
  from (
    select k.canonical_symbol as symbol, m.spans, m.changed_at
    from merged as m
    join agg.task_component as k on k.component = m.symbol
    union all
    -- Someone other than the builder wrote to the series.
    select s.canonical_symbol, m.foreign_spans, m.changed_at
    from merged as m
    join public.data_agg_state as s on s.canonical_symbol = m.symbol and s.basket is not null
    where m.foreign_spans is not null
  ) as d
  group by d.symbol;
end;
$$;
