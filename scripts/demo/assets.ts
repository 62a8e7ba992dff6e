import { DAY, HOUR, MINUTE } from "../../cli/lib/import/bar.ts";

/** An asset of the generated market. */
export interface Asset {
  symbol: string;
  assetClass: "fx" | "metal" | "crypto" | "equity";
  description: string;
  /** The first open, in quote currency. */
  price: number;
  /** Decimals of a price. */
  decimals: number;
  /** Size of one minute's move, as a part of the price. */
  volatility: number;
  /** Mean volume of a minute; null where the feed gives none. vwap and trade count come with it. */
  volume: number | null;
  /** `metadata.agg.session`, where it is not round the clock. */
  session?: Record<string, unknown>;
}

const pair = (symbol: string, price: number, decimals: number): Asset => ({
  symbol,
  assetClass: "fx",
  description: `${symbol.slice(0, 3)}/${symbol.slice(3)}, generated`,
  price,
  decimals,
  volatility: 0.0001,
  volume: null,
});

export const assets: readonly Asset[] = [
  pair("EURUSD", 1.1702, 5),
  pair("USDJPY", 147.21, 3),
  pair("GBPUSD", 1.3508, 5),
  pair("USDCAD", 1.3741, 5),
  pair("USDSEK", 9.4388, 5),
  pair("USDCHF", 0.8003, 5),
  {
    symbol: "XAUUSD",
    assetClass: "metal",
    description: "Gold, generated: closed for an hour each day, no volume",
    price: 3447.5,
    decimals: 2,
    volatility: 0.0002,
    volume: null,
  },
  {
    symbol: "BTCUSD",
    assetClass: "crypto",
    description: "Bitcoin, generated: round the clock, with volume, vwap and trade count",
    price: 108_250,
    decimals: 1,
    volatility: 0.0005,
    volume: 12,
  },
  {
    symbol: "SPY",
    assetClass: "equity",
    description: "An index fund, generated: New York hours, with volume, vwap and trade count",
    price: 645.05,
    decimals: 2,
    volatility: 0.0003,
    volume: 85_000,
    session: {
      time_zone: "America/New_York",
      weekly: ["Mon", "Tue", "Wed", "Thu", "Fri"].map((day) => ({ open: `${day} 09:30`, close: `${day} 16:00` })),
    },
  },
];

/** Monday 2025-09-01 00:00 UTC: the generated market begins. */
export const marketStart = Date.UTC(2025, 8, 1);

/**
 * The generated market keeps New York summer time, whatever the date: its trading hours are fixed in UTC. So it may
 * last no longer than to the clock change of 2025-11-02.
 */
export const maxWeeks = 8;

/** Whether `asset` trades in the minute that starts at `ts` (milliseconds since the epoch). */
export function isOpen(asset: Asset, ts: number): boolean {
  const day = new Date(ts).getUTCDay();
  const time = ts % DAY;
  switch (asset.assetClass) {
    case "crypto":
      return true;
    case "equity":
      return day >= 1 && day <= 5 && time >= 13 * HOUR + 30 * MINUTE && time < 20 * HOUR;
    case "fx":
    case "metal":
      if (asset.assetClass === "metal" && time >= 21 * HOUR && time < 22 * HOUR) return false;
      if (day === 0) return time >= 21 * HOUR;
      if (day === 5) return time < 21 * HOUR;
      return day !== 6;
  }
}
