-- Formula: the geometric basket of the ICE US Dollar Index, base * product of rate ^ weight.
create function agg.build_synthetic(p_orders agg.build_order[])
returns setof agg.build_result
language plpgsql
volatile
set search_path = ''
-- Every join here is a range of a key for each order. Statistics of a table that has just been loaded, or a plan cached
-- before, must not turn one into a scan of the table.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_problems text;
begin
  if not exists (select from unnest(p_orders) as o where o.source_timeframe is null) then
    return;
  end if;
  select string_agg(format('%s: %s', o.canonical_symbol, coalesce(p.problem, 'is_synthetic is not true')), '; ')
  into v_problems
  from unnest(p_orders) as o
  left join public.core_asset_registry_all as r on r.canonical_symbol = o.canonical_symbol
  left join lateral agg.metadata_problems(r.metadata) as p (problem) on true
  where o.source_timeframe is null
    and (p.problem is not null or r.metadata -> 'is_synthetic' is distinct from 'true');
  if v_problems is not null then
    raise exception 'the registry does not say how to compute %', v_problems
      using errcode = 'invalid_parameter_value', hint = 'Mend metadata in core_asset_registry_all.';
  end if;

  return query
  with component as materialized (
    select
      o.canonical_symbol, o.timeframe, o.window_length, o.from_utc, o.to_utc as order_to_utc, o.frontier_utc,
      o.derivation_version,
      k.component_no, k.component, k.weight, k.component_count, k.formula_base,
      -- Every component is complete up to the shortest of the first max_windows minutes.
      min(coalesce(n.ts_utc, o.to_utc)) over (partition by o.canonical_symbol) as to_utc
    from unnest(p_orders) as o
    join agg.synthetic_component as k on k.canonical_symbol = o.canonical_symbol
    left join lateral (
      select d.ts_utc
      from public.data_bars as d
      where d.canonical_symbol = k.component and d.timeframe = '1m'
        and d.ts_utc >= o.from_utc and d.ts_utc < o.to_utc
      order by d.ts_utc
      offset o.max_windows limit case when o.max_windows is not null then 1 else 0 end
    ) as n on true
    where o.source_timeframe is null
  ),
  minute as (
    select
      c.canonical_symbol, c.timeframe, d.ts_utc, c.derivation_version,
      count(*) filter (where d.open > 0 and d.close > 0) = c.component_count as is_complete,
      c.formula_base,
      -- Summed in the order of the basket: sums of floats depend on it.
      sum(c.weight * case when d.open > 0 then ln(d.open) end order by c.component_no) as ln_open,
      sum(c.weight * case when d.close > 0 then ln(d.close) end order by c.component_no) as ln_close,
      array_agg(c.component order by c.component_no) as components
    from component as c
    cross join lateral (
      select b.ts_utc, b.open, b.close
      from public.data_bars as b
      where b.canonical_symbol = c.component and b.timeframe = '1m'
        and b.ts_utc >= c.from_utc and b.ts_utc < c.to_utc
      offset 0
    ) as d
    group by c.canonical_symbol, c.timeframe, d.ts_utc, c.derivation_version, c.component_count, c.formula_base
  ),
  priced as materialized (
    select
      m.canonical_symbol, m.timeframe, m.ts_utc, m.derivation_version, m.is_complete, m.components, m.formula_base,
      round((m.formula_base * exp(m.ln_open))::numeric, 8)::double precision as open,
      round((m.formula_base * exp(m.ln_close))::numeric, 8)::double precision as close
    from minute as m
  ),
  stored as (
    insert into public.data_bars as d (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, source, raw
    )
    select
      p.canonical_symbol, p.timeframe, p.ts_utc,
      v.open, greatest(v.open, p.close), least(v.open, p.close), p.close,
      0, null, 0, 'synthetic',
      jsonb_build_object(
        'kind', lower(p.canonical_symbol),
        'derivation_version', p.derivation_version,
        'prices', case p.derivation_version when 1 then 'flat' else 'open_close' end,
        'components', to_jsonb(p.components),
        'formula_base', p.formula_base
      )
    from priced as p
    cross join lateral (select case p.derivation_version when 1 then p.close else p.open end) as v (open)
    where p.is_complete
    on conflict (canonical_symbol, timeframe, ts_utc) do update set
      open = excluded.open,
      high = excluded.high,
      low = excluded.low,
      close = excluded.close,
      vol = excluded.vol,
      vwap = excluded.vwap,
      trade_count = excluded.trade_count,
      is_partial = excluded.is_partial,
      source = excluded.source,
      raw = excluded.raw,
      updated_at = now()
    where (d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count, d.is_partial, d.source, d.raw)
      is distinct from (
        excluded.open, excluded.high, excluded.low, excluded.close, excluded.vol, excluded.vwap,
        excluded.trade_count, excluded.is_partial, excluded.source, excluded.raw
      )
    returning d.canonical_symbol, d.timeframe, d.xmax = 0 as is_new
  )
  select
    t.canonical_symbol, t.timeframe,
    max(t.window_length), max(t.from_utc), max(t.order_to_utc), max(t.frontier_utc),
    count(t.is_complete)::integer,
    count(*) filter (where t.is_complete)::integer,
    0,
    count(*) filter (where t.is_new)::integer,
    count(*) filter (where not t.is_new)::integer,
    max(t.to_utc) < max(t.order_to_utc),
    max(t.to_utc)
  from (
    select
      c.canonical_symbol, c.timeframe, c.window_length, c.from_utc, c.order_to_utc, c.frontier_utc, c.to_utc,
      null::boolean as is_complete, null::boolean as is_new
    from component as c
    union all
    select p.canonical_symbol, p.timeframe, null, null, null, null, null, p.is_complete, null
    from priced as p
    union all
    select s.canonical_symbol, s.timeframe, null, null, null, null, null, null, s.is_new
    from stored as s
  ) as t
  group by t.canonical_symbol, t.timeframe;
end;
$$;

revoke execute on function agg.build_synthetic(agg.build_order[]) from public, anon, authenticated;
grant execute on function agg.build_synthetic(agg.build_order[]) to service_role;

comment on function agg.build_synthetic(agg.build_order[]) is
  'Builds the minutes of synthetic series, for any number of them in one statement, over minutes in which every component has a bar with positive prices. Rounded to 8 decimals. Version 1 is flat at the price of the closes; any other takes its open from the opens and its close from the closes, with high and low as their larger and smaller. Writes only what differs. windows counts minutes with at least one component, bars those with all.';
