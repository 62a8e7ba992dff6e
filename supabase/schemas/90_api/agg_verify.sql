comment on function public.agg_verify is
'Computes decided windows again from their source bars, and lists every difference to what is stored.
Nulls mean every task, and the whole of its decided range; windows that p_from and p_to cut count whole. Each level is compared with the one below it as it stands.
problem: missing, different (stored and expected hold the fields that differ), stale (a bar whose window has too few minutes) or failed (the task cannot be computed; expected holds the error). is_pending: a change note or a correction waits for it, and the next run builds it again.
Writes and locks nothing. Raises no_data_found without a task, invalid_parameter_value for an unknown timeframe or an empty range.';

create function public.agg_verify(
  p_symbol text default null, p_timeframe text default null, p_from timestamptz default null, p_to timestamptz default null
)
returns table (
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  problem text,
  stored jsonb,
  expected jsonb,
  is_pending boolean
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  if p_timeframe is not null and not exists (select from agg.timeframe as t where t.timeframe = p_timeframe) then
    raise exception '% is not a timeframe', p_timeframe
      using errcode = 'invalid_parameter_value',
        hint = format('Timeframes are %s.', agg.timeframe_list());
  end if;
  if p_symbol is not null and not exists (
    select from public.data_agg_state as s
    where s.canonical_symbol = p_symbol and (p_timeframe is null or s.timeframe = p_timeframe)
  ) then
    perform agg.raise_no_task(p_symbol, coalesce(p_timeframe, 'of any timeframe'));
  end if;
  if p_from >= p_to then
    raise exception '[%, %) is not a range of time', p_from, p_to using errcode = 'invalid_parameter_value';
  end if;

  return query
  select v.canonical_symbol, v.timeframe, v.ts_utc, v.problem, v.stored, v.expected, v.is_pending
  from agg.verify_spans(array(
    select (s.canonical_symbol, s.timeframe, tstzmultirange(tstzrange(p_from, p_to)), now(), 0)::agg.changed_span
    from public.data_agg_state as s
    where (p_symbol is null or s.canonical_symbol = p_symbol) and (p_timeframe is null or s.timeframe = p_timeframe)
  )) as v
  join agg.timeframe as t on t.timeframe = v.timeframe
  order by v.canonical_symbol, t.duration, v.ts_utc;
end;
$$;
