comment on function public.aggregate_5m_to_1h_window is
'Builds one 1h window of a symbol from its 5m bars, now.
Otherwise as aggregate_1m_to_5m_window. frontier also means that the 5m task has not decided the whole hour.';

create function public.aggregate_5m_to_1h_window(
  p_symbol text, p_from_utc timestamptz, p_to_utc timestamptz, p_derivation_version integer default 1, p_now timestamptz default now()
)
returns jsonb
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select public.aggregate_window(p_symbol, '1h', p_from_utc, coalesce(p_to_utc, p_from_utc), p_derivation_version, p_now);
$$;
