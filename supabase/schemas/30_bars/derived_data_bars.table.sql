comment on table public.derived_data_bars is
  'Every bar longer than 1m, written by the window rule alone, stamped with the start of its window in UTC. A bar with deleted_at no longer qualifies.';
comment on column public.derived_data_bars.source_candles is 'Bars of source_timeframe that went into this bar.';
comment on column public.derived_data_bars.covered_minutes is 'Minutes of the window whose 1m bar went into this bar, through every level.';
comment on column public.derived_data_bars.expected_minutes is 'Minutes of the window in which the trading session of the asset is open.';
comment on column public.derived_data_bars.is_partial is 'A 1m bar that went into this bar was partial: its minute had not ended when it was taken.';
comment on column public.derived_data_bars.quality_score is
  '2 excellent: every expected minute is covered; 1 good: at least 80 %; 0 poor: at least 60 % (thresholds: metadata.agg.quality).';
comment on constraint derived_data_bars_timeframe_check on public.derived_data_bars is 'timeframe must be 5m, 15m, 1h, 4h or 1d.';
comment on constraint derived_data_bars_ts_aligned on public.derived_data_bars is 'ts_utc must be the start of a window of its timeframe.';
comment on constraint derived_data_bars_finite_prices on public.derived_data_bars is 'open, high, low and close must be finite.';
comment on constraint derived_data_bars_high_covers on public.derived_data_bars is 'high must not be below open or close.';
comment on constraint derived_data_bars_low_covers on public.derived_data_bars is 'low must not be above open, close or high.';
comment on constraint derived_data_bars_vwap_finite on public.derived_data_bars is 'vwap must be finite.';
comment on constraint derived_data_bars_vol_not_negative on public.derived_data_bars is 'vol must be finite and not negative.';
comment on constraint derived_data_bars_trade_count_not_negative on public.derived_data_bars is 'trade_count must not be negative.';
comment on constraint derived_data_bars_quality_check on public.derived_data_bars is 'quality_score must be 0, 1 or 2.';
comment on constraint derived_data_bars_counts_check on public.derived_data_bars is 'source_candles, expected_candles, covered_minutes and expected_minutes must be positive.';

create table public.derived_data_bars (
  canonical_symbol text not null,
  timeframe text not null,
  ts_utc timestamptz not null,
  open double precision not null,
  high double precision not null,
  low double precision not null,
  close double precision not null,
  vol double precision,
  vwap double precision,
  trade_count bigint,
  source_timeframe text not null,
  source_candles integer not null,
  expected_candles integer not null,
  covered_minutes integer not null,
  expected_minutes integer not null,
  quality_score smallint not null,
  derivation_version integer not null default 1,
  source text not null default 'aggregated',
  raw jsonb not null default '{}',
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  is_partial boolean not null default false,
  constraint derived_data_bars_pkey primary key (canonical_symbol, timeframe, ts_utc),
  constraint derived_data_bars_timeframe_check check (timeframe in ('5m', '15m', '1h', '4h', '1d')),
  constraint derived_data_bars_ts_aligned check (
    isfinite(ts_utc) and date_bin(
      case timeframe
        when '5m' then interval '5 minutes'
        when '15m' then interval '15 minutes'
        when '1h' then interval '1 hour'
        when '4h' then interval '4 hours'
        else interval '1 day'
      end,
      ts_utc, timestamptz '2000-01-01 00:00:00+00'
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
  constraint derived_data_bars_quality_check check (quality_score in (0, 1, 2)),
  constraint derived_data_bars_counts_check check (
    source_candles > 0 and expected_candles > 0 and covered_minutes > 0 and expected_minutes > 0
  )
);

alter table public.derived_data_bars enable row level security;

create policy service_role_writes on public.derived_data_bars for all to service_role using (true) with check (true);
