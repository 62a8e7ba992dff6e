comment on function public.aggregate_1m_to_5m_window is
'Builds one 5m window of a symbol from its 1m bars, now.
[p_from_utc, p_to_utc) must be exactly one window, aligned in UTC. Moves no cursor; may be repeated.
Returns success, stored, source_count, and quality_score or the reason why no bar was stored: insufficient_source_bars, before_agg_start_utc, frontier (not complete at p_now).
Locks: the task''s row, to the end of the transaction. Raises invalid_parameter_value for another range.';

create function public.aggregate_1m_to_5m_window(
  p_symbol text, p_from_utc timestamptz, p_to_utc timestamptz, p_derivation_version integer default 1, p_now timestamptz default now()
)
returns jsonb
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select public.aggregate_window(p_symbol, '5m', p_from_utc, coalesce(p_to_utc, p_from_utc), p_derivation_version, p_now);
$$;
