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

/** Monday 2025-09-01 00:00 UTC: the generated market begins, where it does not say otherwise. */
export const marketStart = Date.UTC(2025, 8, 1);

/** The longest history of the demo, so that it loads within a minute. */
export const maxWeeks = 8;

/** Whether `asset` trades in the minute that starts at `ts` (milliseconds since the epoch). Markets keep New York time. */
export function isOpen(asset: Asset, ts: number): boolean {
  if (asset.assetClass === "crypto") return true;
  const local = ts + newYorkOffset(ts);
  const day = new Date(local).getUTCDay();
  const time = local % DAY;
  switch (asset.assetClass) {
    case "equity":
      return day >= 1 && day <= 5 && time >= 9 * HOUR + 30 * MINUTE && time < 16 * HOUR;
    case "fx":
    case "metal":
      if (asset.assetClass === "metal" && time >= 17 * HOUR && time < 18 * HOUR) return false;
      if (day === 0) return time >= 17 * HOUR;
      if (day === 5) return time < 17 * HOUR;
      return day !== 6;
  }
}

const newYork = new Intl.DateTimeFormat("en", { timeZone: "America/New_York", timeZoneName: "longOffset" });
const offsets = new Map<number, number>();

/** What New York's clock is ahead of UTC, in milliseconds. It changes at full hours. */
function newYorkOffset(ts: number): number {
  const hour = Math.floor(ts / HOUR);
  let offset = offsets.get(hour);
  if (offset === undefined) {
    const name = newYork.formatToParts(ts).find((part) => part.type === "timeZoneName")!.value;
    const [, sign, hours] = /^GMT([+-])(\d\d):/.exec(name)!;
    offset = (sign === "-" ? -1 : 1) * Number(hours) * HOUR;
    offsets.set(hour, offset);
  }
  return offset;
}
