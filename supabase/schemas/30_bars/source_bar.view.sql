comment on view agg.source_bar is
  'What longer bars are built from: 1m from data_bars, all longer from derived_data_bars, with the windows that have too few minutes for a bar. Ask for covered_minutes > 0: that condition is not in here because both halves must stay plain for their keys to give ordered ranges. Ask for is_derived as well where that is known: then the half that cannot match costs nothing, otherwise one index descent.';

create view agg.source_bar with (security_invoker = true) as
select
  d.canonical_symbol, d.timeframe, d.ts_utc,
  d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
  case when d.vol > 0 and d.vwap is not null then d.vol end as vwap_vol,
  1 as covered_minutes, d.is_partial, true as is_bar, false as is_derived
from public.data_bars as d
union all
select
  d.canonical_symbol, d.timeframe, d.ts_utc,
  d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
  d.vwap_vol, d.covered_minutes, d.is_partial, d.deleted_at is null as is_bar, true as is_derived
from public.derived_data_bars as d;
