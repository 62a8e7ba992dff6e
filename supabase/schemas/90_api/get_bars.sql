comment on function public.get_bars is
'Reads bars of any timeframe, 1m included, by symbol and time.
p_symbols: in any order. A symbol or a timeframe that is not known has no bars. p_from, p_to: windows that start in [p_from, p_to); p_to null: without end.
p_from null: of each symbol the latest p_limit bars before p_to. Otherwise p_limit is the number of rows of a page. Null: all.
p_after: the last row of the page before, an object with canonical_symbol and ts_utc; the page begins after it.
p_fill: windows without a bar in which the market is open, after the first bar and up to what is decided (1m and p_as_of: up to the last bar), with the last close as all prices, vol and trade_count 0, and is_filled.
p_forming: windows that are not decided yet, from the minutes so far, with is_forming and is_partial. Their quality_score is null. 1m has none.
p_as_of: the bars as they were stored at that time, from derived_data_bars_revision. A change counts from the begin of the transaction that wrote it, and a reader saw it when that committed, a moment later.
covered_minutes and expected_minutes say what quality_score is made of. updated_at: since when the bar is so.
Runs with the rights of the caller: whose bars it may read, grant_read_access or a policy says.
Raises invalid_parameter_value for what makes no sense: p_as_of with 1m or p_forming (minutes keep no revisions), or further back than revisions of a symbol are kept.';

create function public.get_bars(
  p_symbols text[],
  p_timeframe text,
  p_from timestamptz default null,
  p_to timestamptz default null,
  p_limit integer default 1000,
  p_after jsonb default null,
  p_fill boolean default false,
  p_forming boolean default false,
  p_as_of timestamptz default null
)
returns table (
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  open double precision,
  high double precision,
  low double precision,
  close double precision,
  vol double precision,
  vwap double precision,
  trade_count bigint,
  quality_score smallint,
  covered_minutes integer,
  expected_minutes integer,
  is_partial boolean,
  is_filled boolean,
  is_forming boolean,
  updated_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Every access is a range of a key for each symbol, read in its order, whatever the planner assumes about the tables.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  v_is_minute constant boolean := p_timeframe = '1m';
  v_to constant timestamptz := coalesce(p_to, 'infinity');
  v_after_symbol text;
  v_after_utc timestamptz;
  v_forgotten record;
  v_recent_utc timestamptz;
begin
  if p_symbols is null or array_position(p_symbols, null) is not null then
    raise exception 'p_symbols must be an array of symbols, not %', coalesce(p_symbols::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'Give canonical symbols, such as array[''EURUSD'', ''DXY''].';
  end if;
  if p_timeframe is null or p_timeframe !~ '^[1-9][0-9]{0,3}[mhdw]$' then
    raise exception 'p_timeframe must be a timeframe such as 1m, 5m or 1d, not %', coalesce(p_timeframe, 'null')
      using errcode = 'invalid_parameter_value', hint = 'A number of minutes (m), hours (h), days (d) or weeks (w).';
  end if;
  if p_from >= v_to then
    raise exception '[%, %) is not a range of time', p_from, v_to
      using errcode = 'invalid_parameter_value', hint = 'p_to is the end: windows that start there or later are left out.';
  end if;
  if p_limit < 1 then
    raise exception 'p_limit must be a number of bars above 0, not %', p_limit
      using errcode = 'invalid_parameter_value', hint = 'null means all.';
  end if;
  if p_after is not null then
    begin
      if p_after ->> 'ts_utc' ~* '(z|utc|[+-][0-9]{2}(:?[0-9]{2})?)$' then
        v_after_utc := (p_after ->> 'ts_utc')::timestamptz;
      end if;
    exception when data_exception then
      -- Refused below.
    end;
    v_after_symbol := p_after ->> 'canonical_symbol';
    if v_after_utc is null or v_after_symbol is null then
      raise exception 'p_after must be an object with canonical_symbol and ts_utc (an instant with its zone), not %', left(p_after::text, 200)
        using errcode = 'invalid_parameter_value', hint = 'Give the last row of the page before.';
    end if;
  end if;
  if p_as_of is not null then
    if v_is_minute or p_forming then
      raise exception 'p_as_of cannot be had with %: data_bars keeps no revisions', case when v_is_minute then '1m' else 'p_forming' end
        using errcode = 'invalid_parameter_value', hint = 'Longer bars keep what they were before they changed.';
    end if;
    select r.canonical_symbol, b.begin_utc into v_forgotten
    from agg.readable_series as r
    cross join lateral (select greatest(now() - agg.revision_age(r.revisions), r.revision_floor_utc)) as b (begin_utc)
    where r.canonical_symbol = any (p_symbols) and r.timeframe = p_timeframe and p_as_of < b.begin_utc
    order by 1
    limit 1;
    if found then
      raise exception '% keeps no revisions from before %', v_forgotten.canonical_symbol, v_forgotten.begin_utc
        using errcode = 'invalid_parameter_value',
        hint = 'Give a later p_as_of. metadata.agg.revisions of the asset says for how long revisions are kept.';
    end if;
  end if;

  if (p_fill or p_forming and not v_is_minute) is true then
    return query
    select
      y.symbol, p_timeframe, b.ts_utc, b.open, b.high, b.low, b.close, b.vol, b.vwap, b.trade_count, b.quality_score,
      b.covered_minutes, b.expected_minutes, b.is_partial, b.is_filled, b.is_forming, b.updated_at
    from (
      select distinct y.symbol from unnest(p_symbols) as y (symbol) where v_after_symbol is null or y.symbol >= v_after_symbol order by 1
    ) as y
    cross join lateral agg.filled_bars(
      y.symbol, p_timeframe,
      case when y.symbol = v_after_symbol and p_from is not null then greatest(p_from, v_after_utc + interval '1 microsecond') else p_from end,
      v_to, p_limit, p_from is null, p_fill, p_forming, p_as_of
    ) as b
    where v_after_symbol is null or (y.symbol, b.ts_utc) > (v_after_symbol, v_after_utc)
    order by y.symbol, b.ts_utc
    limit case when p_from is not null then p_limit end;
    return;
  end if;

  if p_as_of is not null then
    return query
    select b.*
    from (
      select
        u.symbol,
        greatest(
          case when u.symbol = v_after_symbol then v_after_utc + interval '1 microsecond' end,
          p_from,
          -- The first of the latest.
          (
            select min(l.ts_utc)
            from (
              (
                select d.ts_utc
                from public.derived_data_bars as d
                where p_from is null and d.canonical_symbol = u.symbol and d.timeframe = p_timeframe and d.ts_utc < v_to
                  and d.deleted_at is null and d.updated_at <= p_as_of
                order by d.ts_utc desc
                limit p_limit
              )
              union all
              (
                select d.ts_utc
                from public.derived_data_bars_revision as d
                where p_from is null and d.canonical_symbol = u.symbol and d.timeframe = p_timeframe and d.ts_utc < v_to
                  and d.deleted_at is null and d.written_at <= p_as_of and d.replaced_at > p_as_of
                order by d.ts_utc desc
                limit p_limit
              )
              order by ts_utc desc
              limit p_limit
            ) as l
          )
        ) as from_utc
      from (select distinct u.symbol from unnest(p_symbols) as u (symbol)) as u
      where v_after_symbol is null or u.symbol >= v_after_symbol
      order by 1
    ) as y
    cross join lateral (
      (
        select
          d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
          d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.updated_at
        from public.derived_data_bars as d
        where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc >= y.from_utc and d.ts_utc < v_to
          and d.deleted_at is null and d.updated_at <= p_as_of
        order by d.ts_utc
        limit p_limit
      )
      union all
      (
        select
          d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
          d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.written_at
        from public.derived_data_bars_revision as d
        where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc >= y.from_utc and d.ts_utc < v_to
          and d.deleted_at is null and d.written_at <= p_as_of and d.replaced_at > p_as_of
        order by d.ts_utc
        limit p_limit
      )
      order by ts_utc
      limit p_limit
    ) as b
    order by y.symbol, b.ts_utc
    limit case when p_from is not null then p_limit end;
  elsif p_from is null and v_is_minute then
    -- Of many symbols, most have their last bar where the first symbol has, or a window before: they are found in one scan of the
    -- key, in half the time of a look for each.
    if p_limit = 1 and cardinality(p_symbols) > 1 then
      select d.ts_utc - p_timeframe::interval into v_recent_utc
      from public.data_bars as d
      where d.canonical_symbol = p_symbols[1] and d.timeframe = p_timeframe and d.ts_utc < v_to
      order by d.ts_utc desc
      limit 1;
    end if;
    return query
    with recent as materialized (
      select distinct on (d.canonical_symbol)
        d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
        null::smallint as quality_score, 1 as covered_minutes, 1 as expected_minutes, d.is_partial, false, false, d.updated_at
      from public.data_bars as d
      where v_recent_utc is not null and d.canonical_symbol = any (p_symbols) and d.timeframe = p_timeframe
        and d.ts_utc >= v_recent_utc and d.ts_utc < v_to
      order by d.canonical_symbol, d.ts_utc desc
    )
    select b.*
    from (
      select r.* from recent as r
      union all
      select b.*
      from (select distinct u.symbol from unnest(p_symbols) as u (symbol) where u.symbol not in (select r.canonical_symbol from recent as r)) as y
      cross join lateral (
        select
          d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
          null::smallint as quality_score, 1 as covered_minutes, 1 as expected_minutes, d.is_partial, false, false, d.updated_at
        from public.data_bars as d
        where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc < v_to
        order by d.ts_utc desc
        limit p_limit
      ) as b
    ) as b
    where v_after_symbol is null or (b.canonical_symbol, b.ts_utc) > (v_after_symbol, v_after_utc)
    order by b.canonical_symbol, b.ts_utc;
  elsif p_from is null then
    if p_limit = 1 and cardinality(p_symbols) > 1 then
      select d.ts_utc - p_timeframe::interval into v_recent_utc
      from public.derived_data_bars as d
      where d.canonical_symbol = p_symbols[1] and d.timeframe = p_timeframe and d.ts_utc < v_to and d.deleted_at is null
      order by d.ts_utc desc
      limit 1;
    end if;
    return query
    with recent as materialized (
      select distinct on (d.canonical_symbol)
        d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
        d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.updated_at
      from public.derived_data_bars as d
      where v_recent_utc is not null and d.canonical_symbol = any (p_symbols) and d.timeframe = p_timeframe
        and d.ts_utc >= v_recent_utc and d.ts_utc < v_to and d.deleted_at is null
      order by d.canonical_symbol, d.ts_utc desc
    )
    select b.*
    from (
      select r.* from recent as r
      union all
      select b.*
      from (select distinct u.symbol from unnest(p_symbols) as u (symbol) where u.symbol not in (select r.canonical_symbol from recent as r)) as y
      cross join lateral (
        select
          d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
          d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.updated_at
        from public.derived_data_bars as d
        where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc < v_to and d.deleted_at is null
        order by d.ts_utc desc
        limit p_limit
      ) as b
    ) as b
    where v_after_symbol is null or (b.canonical_symbol, b.ts_utc) > (v_after_symbol, v_after_utc)
    order by b.canonical_symbol, b.ts_utc;
  elsif v_is_minute then
    return query
    select b.*
    from (select distinct u.symbol from unnest(p_symbols) as u (symbol) where v_after_symbol is null or u.symbol >= v_after_symbol order by 1) as y
    cross join lateral (
      select
        d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
        null::smallint, 1, 1, d.is_partial, false, false, d.updated_at
      from public.data_bars as d
      where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc < v_to
        and d.ts_utc >= case when y.symbol = v_after_symbol then greatest(p_from, v_after_utc + interval '1 microsecond') else p_from end
      order by d.ts_utc
      limit p_limit
    ) as b
    order by y.symbol, b.ts_utc
    limit p_limit;
  elsif cardinality(p_symbols) = 1 and p_after is null then
    -- Most calls ask for one symbol, whose bars need neither a join nor a sort.
    return query
    select
      d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
      d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.updated_at
    from public.derived_data_bars as d
    where d.canonical_symbol = p_symbols[1] and d.timeframe = p_timeframe
      and d.ts_utc >= p_from and d.ts_utc < v_to and d.deleted_at is null
    order by d.ts_utc
    limit p_limit;
  else
    return query
    select b.*
    from (select distinct u.symbol from unnest(p_symbols) as u (symbol) where v_after_symbol is null or u.symbol >= v_after_symbol order by 1) as y
    cross join lateral (
      select
        d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
        d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false, false, d.updated_at
      from public.derived_data_bars as d
      where d.canonical_symbol = y.symbol and d.timeframe = p_timeframe and d.ts_utc < v_to and d.deleted_at is null
        and d.ts_utc >= case when y.symbol = v_after_symbol then greatest(p_from, v_after_utc + interval '1 microsecond') else p_from end
      order by d.ts_utc
      limit p_limit
    ) as b
    order by y.symbol, b.ts_utc
    limit p_limit;
  end if;
end;
$$;
