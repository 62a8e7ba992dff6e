import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { type Asset, assets, isOpen, marketStart } from "./assets.ts";
import { type Bar, DAY, HOUR, MINUTE } from "../../cli/lib/import/bar.ts";

/** The generated market: the same seed and weeks give the same bars, wherever and however often they are drawn. */
export interface Market {
  seed: number;
  /** Length of the history, in weeks; it ends on a Monday at 13:00 UTC, where the live part begins. */
  weeks: number;
  /** Where it begins, a midnight in UTC in milliseconds since the epoch; {@link marketStart} where absent. */
  start?: number;
}

const startOf = (market: Market) => market.start ?? marketStart;

/** A span in which a feed is silent, `[from, to)` in milliseconds since the epoch. */
export interface Outage {
  from: number;
  to: number;
}

/** End of the history and start of the live part: half an hour before New York's stock market opens. */
export function historyEnd(market: Market): number {
  return startOf(market) + market.weeks * 7 * DAY + 13 * HOUR;
}

/** The FX feed falls silent 70 minutes into the live part, for 55 minutes. */
export function liveOutage(market: Market): Outage {
  const from = historyEnd(market) + 70 * MINUTE;
  return { from, to: from + 55 * MINUTE };
}

/** What the feed owes until everything else is built: three quarters of an hour of one pair, on the first Tuesday. */
export function lateStretch(): Outage & { symbol: string } {
  const from = marketStart + DAY + 10 * HOUR;
  return { symbol: "USDSEK", from, to: from + 45 * MINUTE };
}

/** Bars of one asset with `ts` in `[from, to)`, in order of time. */
export function* generateBars(market: Market, asset: Asset, from: number, to: number): Generator<Bar> {
  const random = streamOf(market.seed, asset);
  const outages = drawOutages(market, asset, random);
  const round = (price: number) => Number(price.toFixed(asset.decimals));
  const tick = 10 ** -asset.decimals;
  let close = asset.price;
  let patchyUntil = 0;

  for (let ts = startOf(market); ts < to; ts += MINUTE) {
    if (!isOpen(asset, ts)) continue;
    // Every open minute draws the same number of values, so that a missing bar does not change the later ones.
    const [move, up, down, gapDraw, patchDraw, size] = Array.from({ length: 6 }, random) as SixDraws;
    const open = close;
    const pull = Math.log(asset.price / open) * 0.0005;
    close = Math.max(tick, round(open * Math.exp((move - 0.5) * 2 * asset.volatility + pull)));
    if (patchDraw < 0.0008) patchyUntil = ts + 30 * MINUTE;
    const isMissing = gapDraw < (ts < patchyUntil ? 0.25 : 0.003);
    const isSilent = outages.some((outage) => ts >= outage.from && ts < outage.to);
    if (ts < from || isMissing || isSilent) continue;

    const high = round(Math.max(open, close) * (1 + up * asset.volatility));
    const low = Math.max(tick, round(Math.min(open, close) * (1 - down * asset.volatility)));
    yield { symbol: asset.symbol, ts, open, high, low, close, ...activity(asset, size, (high + low + close) / 3) };
  }
}

type SixDraws = [number, number, number, number, number, number];

function activity(asset: Asset, size: number, price: number): Pick<Bar, "vol" | "vwap" | "tradeCount"> {
  if (asset.volume === null) return { vol: null, vwap: null, tradeCount: null };
  const vol = Number((asset.volume * size * 2).toFixed(2));
  if (vol === 0) return { vol: 0, vwap: null, tradeCount: 0 };
  return { vol, vwap: Number(price.toFixed(asset.decimals + 2)), tradeCount: 1 + Math.floor(size * 400) };
}

function streamOf(seed: number, asset: Asset): () => number {
  const generator = xoroshiro128plus(seed);
  for (let jumps = assets.indexOf(asset); jumps > 0; jumps--) generator.jump();
  return () => uniformFloat64(generator);
}

/** The silent spans of an asset: one or two a week of two minutes to five hours each, and the live one for FX. */
function drawOutages(market: Market, asset: Asset, random: () => number): Outage[] {
  const outages = asset.assetClass === "fx" ? [liveOutage(market)] : [];
  for (let week = 0; week < market.weeks; week++) {
    for (let left = random() < 0.5 ? 1 : 2; left > 0; left--) {
      const from = startOf(market) + week * 7 * DAY + Math.floor(random() * 5 * 24 * 60) * MINUTE;
      const minutes = Math.round(2 * 150 ** random());
      outages.push({ from, to: from + minutes * MINUTE });
    }
  }
  return outages;
}
