comment on view agg.source_bar is
  'Bars of any timeframe: 1m from data_bars, all longer from derived_data_bars. Ask for deleted_at is null: that condition is not in here because both halves must stay plain for their keys to give ordered ranges. The half that cannot match costs one index descent.';

create view agg.source_bar with (security_invoker = true) as
select
  d.canonical_symbol, d.timeframe, d.ts_utc,
  d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
  1 as covered_minutes, d.is_partial, null::timestamptz as deleted_at
from public.data_bars as d
union all
select
  d.canonical_symbol, d.timeframe, d.ts_utc,
  d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
  d.covered_minutes, d.is_partial, d.deleted_at
from public.derived_data_bars as d;
