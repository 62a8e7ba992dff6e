comment on table public.derived_data_bars is
  'Every bar longer than 1m, written by the window rule alone, stamped with the start of its window in UTC. A row with deleted_at is no bar: its window has too few minutes (covered_minutes says how many; longer bars are built from them), or has lost them all.';
comment on column public.derived_data_bars.source_candles is 'Bars of source_timeframe that went into this bar.';
comment on column public.derived_data_bars.covered_minutes is 'Minutes of the window that have a 1m bar. 0: the window has lost its minutes, and the other columns are what they were.';
comment on column public.derived_data_bars.vwap_vol is 'The volume of the minutes that have both a vwap and a volume above 0: the weight of vwap. Null where no minute has both.';
comment on column public.derived_data_bars.expected_minutes is 'Minutes of the window in which the trading session of the asset is open.';
comment on column public.derived_data_bars.is_partial is 'A 1m bar that went into this bar was partial: its minute had not ended when it was taken.';
comment on column public.derived_data_bars.quality_score is
  '2 excellent: every expected minute is covered; 1 good: at least 80 %; 0 poor: at least 60 % (thresholds: metadata.agg.quality); null: fewer, no bar.';
comment on constraint derived_data_bars_timeframe_check on public.derived_data_bars is 'timeframe must be a number of m, h, d or w, and longer than 1m.';
comment on constraint derived_data_bars_ts_aligned on public.derived_data_bars is 'ts_utc must be the start of a window of its timeframe. Above 1h the asset says where windows start: then it must be a whole minute.';
comment on constraint derived_data_bars_finite_prices on public.derived_data_bars is 'open, high, low and close must be finite.';
comment on constraint derived_data_bars_high_covers on public.derived_data_bars is 'high must not be below open or close.';
comment on constraint derived_data_bars_low_covers on public.derived_data_bars is 'low must not be above open, close or high.';
comment on constraint derived_data_bars_vwap_finite on public.derived_data_bars is 'vwap must be finite.';
comment on constraint derived_data_bars_vol_not_negative on public.derived_data_bars is 'vol must be finite and not negative.';
comment on constraint derived_data_bars_trade_count_not_negative on public.derived_data_bars is 'trade_count must not be negative.';
comment on constraint derived_data_bars_quality_check on public.derived_data_bars is 'quality_score must be 0, 1 or 2, and null only where deleted_at is set.';
comment on constraint derived_data_bars_vwap_vol_finite on public.derived_data_bars is 'vwap_vol must be finite and not negative.';
comment on constraint derived_data_bars_counts_check on public.derived_data_bars is 'counts must not be negative, and a bar must have minutes.';

-- In an order that leaves no room between columns, as in data_bars: 181 bytes a bar, not 200.
create table public.derived_data_bars (
  canonical_symbol text not null,
  timeframe text not null,
  source_timeframe text not null,
  source text not null default 'aggregated',
  raw jsonb not null default '{}',
  is_partial boolean not null default false,
  quality_score smallint,
  source_candles integer not null,
  expected_candles integer not null,
  covered_minutes integer not null,
  expected_minutes integer not null,
  derivation_version integer not null default 1,
  ts_utc timestamptz not null,
  open double precision not null,
  high double precision not null,
  low double precision not null,
  close double precision not null,
  vol double precision,
  vwap double precision,
  vwap_vol double precision,
  trade_count bigint,
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint derived_data_bars_pkey primary key (canonical_symbol, timeframe, ts_utc),
  constraint derived_data_bars_timeframe_check check (
    -- Most bars, before the pattern, which costs more.
    timeframe = '5m' or (timeframe ~ '^[1-9][0-9]{0,3}[mhdw]$' and timeframe <> '1m')
  ),
  constraint derived_data_bars_ts_aligned check (
    isfinite(ts_utc) and date_bin(
      case timeframe
        when '5m' then interval '5 minutes'
        when '1h' then interval '1 hour'
        when '15m' then interval '15 minutes'
        when '30m' then interval '30 minutes'
        else interval '1 minute'
      end,
      ts_utc, timestamptz '2000-01-03 00:00:00+00'
    ) = ts_utc
  ),
  constraint derived_data_bars_finite_prices check (
    abs(open) < 'infinity' and abs(high) < 'infinity' and abs(low) < 'infinity' and abs(close) < 'infinity'
  ),
  constraint derived_data_bars_high_covers check (high >= open and high >= close),
  constraint derived_data_bars_low_covers check (low <= open and low <= close and low <= high),
  -- Sums of minutes: data_bars bounds what they are made of.
  constraint derived_data_bars_vwap_finite check (vwap < 'infinity' and vwap > '-infinity'),
  constraint derived_data_bars_vol_not_negative check (vol >= 0 and vol < 'infinity'),
  constraint derived_data_bars_trade_count_not_negative check (trade_count >= 0),
  constraint derived_data_bars_vwap_vol_finite check (vwap_vol >= 0 and vwap_vol < 'infinity'),
  constraint derived_data_bars_quality_check check (
    quality_score in (0, 1, 2) and (quality_score is not null or deleted_at is not null)
  ),
  constraint derived_data_bars_counts_check check (
    source_candles >= 0 and expected_candles >= 0 and covered_minutes >= 0 and expected_minutes >= 0
    and (deleted_at is not null or covered_minutes > 0)
  )
);

alter table public.derived_data_bars enable row level security;

create policy service_role_writes on public.derived_data_bars for all to service_role using (true) with check (true);
