comment on function agg.has_source_bar is
'Whether a task has a source bar in [p_from_utc, p_to_utc); for a synthetic series, whether each component has one.';

create function agg.has_source_bar(p_symbol text, p_timeframe text, p_from_utc timestamptz, p_to_utc timestamptz)
returns boolean
language sql
stable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when t.source_timeframe is not null then exists (
      select from agg.source_bar as b
      where b.canonical_symbol = p_symbol and b.timeframe = coalesce((
          select s.source_timeframe from public.data_agg_state as s where s.canonical_symbol = p_symbol and s.timeframe = p_timeframe
        ), t.source_timeframe)
        and b.ts_utc >= p_from_utc and b.ts_utc < p_to_utc and b.covered_minutes > 0
    )
    else not exists (
      select from agg.synthetic_component as k
      where k.canonical_symbol = p_symbol and not exists (
        select from public.data_bars as d
        where d.canonical_symbol = k.component and d.timeframe = p_timeframe and d.ts_utc >= p_from_utc and d.ts_utc < p_to_utc
      )
    )
  end
  from agg.timeframe as t
  where t.timeframe = p_timeframe;
$$;
