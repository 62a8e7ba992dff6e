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
  left join lateral (
    select n.*
    from public.derived_data_bars_revision as n
    where n.canonical_symbol = v.canonical_symbol and n.timeframe = v.timeframe and n.ts_utc = v.ts_utc and n.replaced_at > v.replaced_at
    order by n.replaced_at
    limit 1
  ) as n on true
  left join public.derived_data_bars as d
    on n.canonical_symbol is null
    and d.canonical_symbol = v.canonical_symbol and d.timeframe = v.timeframe and d.ts_utc = v.ts_utc and d.deleted_at is null
  cross join lateral (
    select
      case when v.deleted_at is null then jsonb_build_object(
        'open', v.open, 'high', v.high, 'low', v.low, 'close', v.close, 'vol', v.vol, 'vwap', v.vwap, 'trade_count', v.trade_count,
        'quality_score', v.quality_score, 'covered_minutes', v.covered_minutes, 'expected_minutes', v.expected_minutes,
        'is_partial', v.is_partial
      ) end,
      case
        -- What came next came to be at once, or after the row had been gone.
        when n.written_at = v.replaced_at and n.deleted_at is null then jsonb_build_object(
          'open', n.open, 'high', n.high, 'low', n.low, 'close', n.close, 'vol', n.vol, 'vwap', n.vwap, 'trade_count', n.trade_count,
          'quality_score', n.quality_score, 'covered_minutes', n.covered_minutes, 'expected_minutes', n.expected_minutes,
          'is_partial', n.is_partial
        )
        when n.canonical_symbol is null and d.updated_at = v.replaced_at then jsonb_build_object(
          'open', d.open, 'high', d.high, 'low', d.low, 'close', d.close, 'vol', d.vol, 'vwap', d.vwap, 'trade_count', d.trade_count,
          'quality_score', d.quality_score, 'covered_minutes', d.covered_minutes, 'expected_minutes', d.expected_minutes,
          'is_partial', d.is_partial
        )
      end
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
