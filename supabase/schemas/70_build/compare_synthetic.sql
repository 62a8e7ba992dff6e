comment on function agg.compare_synthetic is
  'The one rule for synthetic series, for any number of them in one statement. It returns each minute in which a component has a bar, and how its bar differs from what is stored; and each stored synthetic minute that is not complete any more, but for those of an older deployment (raw.migrated_from). Writes nothing.
A minute is complete where all components have bars with positive prices, and where the price of the basket is a positive number that double precision can hold.
Prices are rounded to 8 decimals, and below 1 to so many more that 8 significant digits stay.
Version 1 is flat at the price of the closes. Any other takes its open from the opens and its close from the closes, with high and low as their larger and smaller.';

-- Formula: the geometric basket of the ICE US Dollar Index, base * product of rate ^ weight.
create function agg.compare_synthetic(p_requests agg.build_request[])
returns setof agg.synthetic_minute
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every join here reads a range of a key for each request. Neither the statistics of a table that has just been loaded nor a
-- cached plan may turn one into a scan of the table.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_problems text;
begin
  select string_agg(distinct format('%s: %s', p.canonical_symbol, p.problem), '; ')
  into v_problems
  from (
    select a.canonical_symbol, a.problem
    from agg.asset_problems(array(
      select y.symbol from unnest(p_requests) as o cross join lateral unnest(o.symbols) as y (symbol) where o.source_timeframe is null
    )) as a
    where a.leaves_out = 'series'
    union all
    select y.symbol, 'is_synthetic is not true'
    from unnest(p_requests) as o
    cross join lateral unnest(o.symbols) as y (symbol)
    left join public.core_asset_registry_all as r on r.canonical_symbol = y.symbol
    where o.source_timeframe is null and r.metadata -> 'is_synthetic' is distinct from 'true'
  ) as p;
  if v_problems is not null then
    raise exception 'the registry does not say how to compute %', v_problems
      using errcode = 'invalid_parameter_value', hint = 'Correct metadata in core_asset_registry_all.';
  end if;

  return query
  with build as (
    select
      o.ordinality, y.canonical_symbol, o.timeframe, o.from_utc, o.to_utc, o.derivation_version,
      exists (
        select from public.data_bars as d
        where d.canonical_symbol = y.canonical_symbol and d.timeframe = '1m'
          and d.ts_utc >= o.from_utc and d.ts_utc < o.to_utc
      ) as has_bars
    from unnest(p_requests) with ordinality as o
    cross join lateral unnest(o.symbols) as y (canonical_symbol)
    where o.source_timeframe is null
  ),
  -- Read once, not once a minute.
  component as materialized (
    select b.*, k.component_no, k.component, k.weight, k.component_count, k.formula_base
    from build as b
    join agg.synthetic_component as k on k.canonical_symbol = b.canonical_symbol
  ),
  minute as (
    select
      k.ordinality as request_no, k.canonical_symbol, k.timeframe, d.ts_utc, k.derivation_version, k.has_bars,
      count(*) filter (where d.open > 0 and d.close > 0) = k.component_count as is_complete,
      k.formula_base,
      -- Summed in the order of the basket: sums of floats depend on it.
      sum(k.weight * case when d.open > 0 then ln(d.open) end order by k.component_no) as ln_open,
      sum(k.weight * case when d.close > 0 then ln(d.close) end order by k.component_no) as ln_close,
      array_agg(k.component order by k.component_no) as components
    from component as k
    cross join lateral (
      select c.ts_utc, c.open, c.close
      from public.data_bars as c
      where c.canonical_symbol = k.component and c.timeframe = '1m'
        and c.ts_utc >= k.from_utc and c.ts_utc < k.to_utc
      offset 0
    ) as d
    group by
      k.ordinality, k.canonical_symbol, k.timeframe, d.ts_utc, k.derivation_version, k.has_bars,
      k.component_count, k.formula_base
  ),
  priced as materialized (
    select
      m.request_no, m.canonical_symbol, m.timeframe, m.ts_utc, m.has_bars,
      m.is_complete and v.open is not null and v.close is not null as is_complete,
      v.open, v.close,
      jsonb_build_object(
        'kind', lower(m.canonical_symbol),
        'derivation_version', m.derivation_version,
        'prices', case m.derivation_version when 1 then 'flat' else 'open_close' end,
        'components', to_jsonb(m.components),
        'formula_base', m.formula_base
      ) as raw,
      case when m.has_bars and m.is_complete then (
        select d from public.data_bars as d
        where d.canonical_symbol = m.canonical_symbol and d.timeframe = '1m' and d.ts_utc = m.ts_utc
      ) end as stored
    from minute as m
    cross join lateral (select case m.derivation_version when 1 then m.ln_close else m.ln_open end) as o (ln_open)
    -- data_bars takes prices below 1e50, which is exp(115.1). Beyond exp(700) double precision would raise.
    cross join lateral (
      select
        case when greatest(abs(o.ln_open), abs(o.ln_open + ln(m.formula_base))) <= 115 then m.formula_base * exp(o.ln_open) end,
        case when greatest(abs(m.ln_close), abs(m.ln_close + ln(m.formula_base))) <= 115 then m.formula_base * exp(m.ln_close) end
    ) as p (open, close)
    cross join lateral (
      select
        round(p.open::numeric, greatest(8, 8 - floor(log(p.open))::integer))::double precision,
        round(p.close::numeric, greatest(8, 8 - floor(log(p.close))::integer))::double precision
    ) as v (open, close)
  ),
  -- Grouped rather than joined: linear whatever the planner assumes about the number of requests.
  replaced as (
    select
      e.request_no,
      e.canonical_symbol,
      max(e.from_utc) as from_utc,
      max(e.to_utc) as to_utc,
      range_agg(tstzrange(e.ts_utc, e.ts_utc + interval '1 minute')) filter (where e.is_complete) as kept
    from (
      select
        b.ordinality as request_no, b.canonical_symbol, b.from_utc, b.to_utc,
        null::timestamptz as ts_utc, null::boolean as is_complete
      from build as b
      where b.has_bars
      union all
      select p.request_no, p.canonical_symbol, null, null, p.ts_utc, p.is_complete
      from priced as p
      where p.has_bars
    ) as e
    group by e.request_no, e.canonical_symbol
  )
  select
    p.request_no, p.canonical_symbol, p.timeframe, p.ts_utc,
    p.open, greatest(p.open, p.close), least(p.open, p.close), p.close, p.raw, p.is_complete,
    case
      when not p.is_complete then null
      when (p.stored).ts_utc is null then 'insert'
      when (
        (p.stored).open, (p.stored).high, (p.stored).low, (p.stored).close,
        (p.stored).vol, (p.stored).vwap, (p.stored).trade_count,
        (p.stored).is_partial, (p.stored).source, (p.stored).raw
      ) is distinct from (
        p.open, greatest(p.open, p.close), least(p.open, p.close), p.close,
        0::double precision, null::double precision, 0::bigint,
        false, 'synthetic', p.raw
      ) then 'update'
    end
  from priced as p
  union all
  select
    r.request_no, l.canonical_symbol, l.timeframe, l.ts_utc, l.open, l.high, l.low, l.close, l.raw, false, 'remove'
  from replaced as r
  cross join lateral (
    select d.*
    from public.data_bars as d
    where d.canonical_symbol = r.canonical_symbol and d.timeframe = '1m'
      and d.ts_utc >= r.from_utc and d.ts_utc < r.to_utc and d.source = 'synthetic'
      and not d.raw ? 'migrated_from'
    offset 0
  ) as l
  where not coalesce(r.kept @> l.ts_utc, false);
end;
$$;
