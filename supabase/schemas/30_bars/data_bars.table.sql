comment on table public.data_bars is
  'Every 1m bar, ingested or synthetic, stamped with the start of its minute in UTC. vol, vwap and trade_count are null where unknown. upsert_bars answers with the comments of the checks.';
comment on constraint data_bars_timeframe_check on public.data_bars is 'timeframe must be 1m.';
comment on constraint data_bars_source_check on public.data_bars is 'source must be massive_api, ingest or synthetic.';
comment on constraint data_bars_ts_aligned on public.data_bars is 'ts_utc must be a whole minute.';
comment on constraint data_bars_ts_in_range on public.data_bars is 'ts_utc must lie in the years 1900 to 2199.';
comment on constraint data_bars_finite_prices on public.data_bars is 'open, high, low and close must be finite, between -1e50 and 1e50.';
comment on constraint data_bars_high_covers on public.data_bars is 'high must not be below open or close.';
comment on constraint data_bars_low_covers on public.data_bars is 'low must not be above open, close or high.';
comment on constraint data_bars_vol_in_range on public.data_bars is 'vol must be 0, or from 1e-50 to 1e50.';
comment on constraint data_bars_vwap_in_range on public.data_bars is 'vwap must be 0, or from 1e-50 to 1e50 above or below it.';
comment on constraint data_bars_trade_count_in_range on public.data_bars is 'trade_count must be from 0 to 1000000000000.';

-- In an order that leaves no room between columns: what has no fixed length first, then by alignment. 141 bytes a bar with its
-- line pointer, where the order of the key, prices and the rest takes 149. raw is better {} than null: the first null of a row
-- costs it eight bytes.
create table public.data_bars (
  canonical_symbol text not null,
  timeframe text not null default '1m',
  source text not null default 'ingest',
  raw jsonb not null default '{}',
  is_partial boolean not null default false,
  ts_utc timestamptz not null,
  open double precision not null,
  high double precision not null,
  low double precision not null,
  close double precision not null,
  vol double precision,
  vwap double precision,
  trade_count bigint,
  ingested_at timestamptz not null default now(),
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
  -- Postgres evaluates checks in the order of their names: a bar with NaN breaks this one before any other of its prices.
  -- The bounds are far beyond every market, and near enough for arithmetic: vwap * vol neither overflows nor underflows,
  -- and the trades of ten years of minutes fit a bigint. Literals are typed: casts would cost every statement microseconds.
  constraint data_bars_finite_prices check (
    abs(open) < '1e50'::double precision and abs(high) < '1e50'::double precision
    and abs(low) < '1e50'::double precision and abs(close) < '1e50'::double precision
  ),
  constraint data_bars_high_covers check (high >= open and high >= close),
  constraint data_bars_low_covers check (low <= open and low <= close and low <= high),
  constraint data_bars_vol_in_range check (
    vol = '0'::double precision or (vol >= '1e-50'::double precision and vol <= '1e50'::double precision)
  ),
  constraint data_bars_vwap_in_range check (
    vwap = '0'::double precision or (abs(vwap) >= '1e-50'::double precision and abs(vwap) <= '1e50'::double precision)
  ),
  constraint data_bars_trade_count_in_range check (trade_count >= 0 and trade_count <= 1000000000000)
);

alter table public.data_bars enable row level security;

create policy service_role_writes on public.data_bars for all to service_role using (true) with check (true);
