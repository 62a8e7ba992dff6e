comment on table public.data_bars is
  'Every 1m bar, ingested or synthetic, stamped with the start of its minute in UTC. vol, vwap and trade_count are null where unknown.';

create table public.data_bars (
  canonical_symbol text not null,
  timeframe text not null default '1m',
  ts_utc timestamptz not null,
  open double precision not null,
  high double precision not null,
  low double precision not null,
  close double precision not null,
  vol double precision,
  vwap double precision,
  trade_count bigint,
  is_partial boolean not null default false,
  source text not null default 'ingest',
  ingested_at timestamptz not null default now(),
  raw jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint data_bars_pkey primary key (canonical_symbol, timeframe, ts_utc),
  constraint data_bars_timeframe_check check (timeframe = '1m'),
  constraint data_bars_source_check check (source in ('massive_api', 'ingest', 'synthetic')),
  constraint data_bars_ts_aligned check (
    isfinite(ts_utc) and date_bin(interval '1 minute', ts_utc, timestamptz '2000-01-01 00:00:00+00') = ts_utc
  ),
  -- Room for a span around every bar that a note, a window or a frontier may need.
  constraint data_bars_ts_in_range check (ts_utc >= '1900-01-01 00:00:00+00' and ts_utc < '2200-01-01 00:00:00+00'),
  constraint data_bars_high_covers check (high >= open and high >= close),
  constraint data_bars_low_covers check (low <= open and low <= close and low <= high),
  -- NaN sorts above infinity in Postgres, so that one comparison refuses both.
  constraint data_bars_prices_finite check (
    high < 'infinity' and low > '-infinity' and open < 'infinity' and close < 'infinity'
  ),
  constraint data_bars_vwap_finite check (vwap < 'infinity' and vwap > '-infinity'),
  constraint data_bars_vol_not_negative check (vol >= 0 and vol < 'infinity'),
  constraint data_bars_trade_count_not_negative check (trade_count >= 0)
);

alter table public.data_bars enable row level security;

create policy service_role_writes on public.data_bars for all to service_role using (true) with check (true);
