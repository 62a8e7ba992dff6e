comment on function public.calc_dxy_range_1m is
  'Computes the 1m bars of DXY from six currency pairs, into data_bars, for minutes in [p_from_utc, p_to_utc).
The price is 50.14348112 x EURUSD^-0.576 x USDJPY^0.136 x GBPUSD^-0.119 x USDCAD^0.091 x USDSEK^0.042 x USDCHF^0.036. It is a synthetic series, not an official print of the index.
Everything else is as in derive_synthetic_range.';

create function public.calc_dxy_range_1m(
  p_from_utc timestamptz, p_to_utc timestamptz, p_derivation_version integer default 1
)
returns jsonb
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
set statement_timeout = '120s'
as $$
  select public.derive_synthetic_range('DXY', p_from_utc, p_to_utc, p_derivation_version);
$$;
