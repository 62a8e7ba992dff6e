comment on function public.agg_changes is
'Lists the bars that changed in [p_from, p_to), with what they were and what they became, by time of change.
p_symbols, p_timeframe: null for all. p_limit: rows of a page; null for all. p_after: the last row of the page before, an object with changed_at, canonical_symbol, timeframe and ts_utc.
before and after hold open, high, low, close, vol, vwap, trade_count, quality_score, covered_minutes, expected_minutes and is_partial; null where there was no bar. seen_from: since when the bar had been as it was before.
reason: late_minutes, lost_minutes, changed_minutes, new_rules (session, calendar, thresholds, windows), by_hand, deleted.
First builds are no changes. Changes are listed for as long as revisions are kept, 400 days or metadata.agg.revisions.
Runs with the rights of the caller, as get_bars does. Raises invalid_parameter_value for an empty range and a p_limit or p_after that makes no sense.';

create function public.agg_changes(
  p_from timestamptz,
  p_to timestamptz default null,
  p_symbols text[] default null,
  p_timeframe text default null,
  p_limit integer default 1000,
  p_after jsonb default null
)
returns table (
  changed_at timestamptz,
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  reason text,
  seen_from timestamptz,
  before jsonb,
  after jsonb
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  v_zone constant text := '(z|utc|[+-][0-9]{2}(:?[0-9]{2})?)$';
  v_after public.derived_data_bars_revision;
begin
  if p_from is null or p_from >= p_to then
    raise exception '[%, %) is not a range of time', coalesce(p_from::text, 'null'), coalesce(p_to::text, 'infinity')
      using errcode = 'invalid_parameter_value', hint = 'p_from is where it begins; p_to its end, or null for until now.';
  end if;
  if p_limit < 1 then
    raise exception 'p_limit must be a number of changes above 0, not %', p_limit
      using errcode = 'invalid_parameter_value', hint = 'null means all.';
  end if;
  if p_after is not null then
    begin
      if p_after ->> 'changed_at' ~* v_zone and p_after ->> 'ts_utc' ~* v_zone then
        v_after.replaced_at := (p_after ->> 'changed_at')::timestamptz;
        v_after.ts_utc := (p_after ->> 'ts_utc')::timestamptz;
      end if;
    exception when data_exception then
      -- Refused below.
    end;
    v_after.canonical_symbol := p_after ->> 'canonical_symbol';
    v_after.timeframe := p_after ->> 'timeframe';
    if v_after.ts_utc is null or v_after.canonical_symbol is null or v_after.timeframe is null then
      raise exception 'p_after must be an object with changed_at, canonical_symbol, timeframe and ts_utc (instants with their zone), not %', left(p_after::text, 200)
        using errcode = 'invalid_parameter_value', hint = 'Give the last row of the page before.';
    end if;
  end if;

  return query
  select
    v.replaced_at, v.canonical_symbol, v.timeframe, v.ts_utc, v.reason, v.written_at, x.before, x.after
  from public.derived_data_bars_revision as v
  -- What came next, as another revision or as it is stored.
  left join lateral (
    select n.*
    from (
      (
        select
          n.replaced_at, n.written_at, n.deleted_at, n.open, n.high, n.low, n.close, n.vol, n.vwap, n.trade_count,
          n.quality_score, n.covered_minutes, n.expected_minutes, n.is_partial
        from public.derived_data_bars_revision as n
        where n.canonical_symbol = v.canonical_symbol and n.timeframe = v.timeframe and n.ts_utc = v.ts_utc and n.replaced_at > v.replaced_at
        order by n.replaced_at
        limit 1
      )
      union all
      select
        'infinity', d.updated_at, d.deleted_at, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
        d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial
      from public.derived_data_bars as d
      where d.canonical_symbol = v.canonical_symbol and d.timeframe = v.timeframe and d.ts_utc = v.ts_utc
    ) as n
    order by n.replaced_at
    limit 1
  ) as n on true
  cross join lateral (
    select
      (
        select to_jsonb(b)
        from (
          select
            v.open, v.high, v.low, v.close, v.vol, v.vwap, v.trade_count, v.quality_score, v.covered_minutes, v.expected_minutes, v.is_partial
        ) as b
        where v.deleted_at is null
      ),
      (
        select to_jsonb(b)
        from (
          select
            n.open, n.high, n.low, n.close, n.vol, n.vwap, n.trade_count, n.quality_score, n.covered_minutes, n.expected_minutes, n.is_partial
        ) as b
        -- It came at once, and not after the row had been gone.
        where n.written_at = v.replaced_at and n.deleted_at is null
      )
  ) as x (before, after)
  where v.replaced_at >= greatest(p_from, v_after.replaced_at) and v.replaced_at < coalesce(p_to, 'infinity')
    and (p_symbols is null or v.canonical_symbol = any (p_symbols)) and (p_timeframe is null or v.timeframe = p_timeframe)
    and (
      p_after is null
      or (v.replaced_at, v.canonical_symbol, v.timeframe, v.ts_utc)
        > (v_after.replaced_at, v_after.canonical_symbol, v_after.timeframe, v_after.ts_utc)
    )
    and x.before is distinct from x.after
  order by v.replaced_at, v.canonical_symbol, v.timeframe, v.ts_utc
  limit p_limit;
end;
$$;
