import { Cron } from "croner";
import { type Bar, MINUTE } from "../../cli/lib/import/bar.ts";
import { Problems } from "../../cli/lib/import/problems.ts";
import { type Asset, assets, isOpen } from "../demo/assets.ts";
import { generateBars, type Market } from "../demo/generator.ts";
import { loadBars } from "../demo/load.ts";
import type { Database } from "../lib/database.ts";
import { describeError } from "../../cli/lib/error.ts";

/** Every 40 minutes of UTC the feed of one asset falls silent, in turns for a short time and for a long one. */
const TURN = 40 * MINUTE;
/** A short silence ends after six minutes, and its bars come late. A long one lasts until an alert is raised; its bars are lost. */
const SHORT = { from: 3 * MINUTE, to: 9 * MINUTE, lateAt: 12 * MINUTE };
const LONG = { from: 3 * MINUTE, to: 28 * MINUTE };

/** A silence of one asset, in milliseconds since the epoch. Its bars come at `lateAt`; never, where that is absent. */
export interface Silence {
  symbol: string;
  from: number;
  to: number;
  lateAt?: number;
}

/** The silence of the turn that `ts` is in: the same for every `ts` of a turn. Only of an asset that trades then. */
export function silenceAt(ts: number): Silence {
  const turn = Math.floor(ts / TURN);
  const begin = turn * TURN;
  const open = assets.filter((asset) => isOpen(asset, begin + LONG.from) && isOpen(asset, begin + LONG.to));
  const { symbol } = open[Math.floor(turn / 2) % open.length]!;
  const { from, to } = turn % 2 === 0 ? SHORT : LONG;
  return { symbol, from: begin + from, to: begin + to, ...(turn % 2 === 0 && { lateAt: begin + SHORT.lateAt }) };
}

/** A feed of made-up minutes. */
export interface Feed {
  /** What has come since the last call, in order of time for each asset. */
  take(now: number): { bars: Bar[]; late: Bar[] };
  /** The silence that `ts` is in. */
  silence(ts: number): Silence | undefined;
}

/**
 * The feed of the made-up market from `from` on: a minute comes when it has ended, but for the silences of {@link silenceAt} that
 * begin after `from`.
 */
export function openFeed(market: Market, from: number): Feed {
  const sources = assets.map((asset) => openSource(market, asset, from));
  let held: Bar[] = [];
  const silence = (ts: number) => {
    const found = silenceAt(ts);
    return found.from >= from && ts >= found.from && ts < found.to ? found : undefined;
  };
  return {
    silence,
    take(now) {
      const bars: Bar[] = [];
      for (const bar of sources.flatMap((source) => source(now))) {
        const found = silence(bar.ts);
        if (bar.symbol !== found?.symbol) bars.push(bar);
        else if (found.lateAt !== undefined) held.push(bar);
      }
      const isDue = (bar: Bar) => silenceAt(bar.ts).lateAt! <= now;
      const late = held.filter(isDue);
      held = held.filter((bar) => !isDue(bar));
      return { bars, late };
    },
  };
}

/** Gives the bars of an asset whose minutes have ended since the last call. */
function openSource(market: Market, asset: Asset, from: number): (now: number) => Bar[] {
  const bars = generateBars(market, asset, from, Infinity);
  let next = bars.next();
  return (now) => {
    const taken: Bar[] = [];
    for (; !next.done && next.value.ts + MINUTE <= now; next = bars.next()) taken.push(next.value);
    return taken;
  };
}

/** Loads what the feed gives, once a minute, until the result is disposed of. Tells of silences, late bars and failures. */
export function runFeed(db: Database, feed: Feed, print: (line: string) => void): Disposable {
  let announced = "";
  const cron = new Cron("2 * * * * *", { timezone: "UTC", protect: true }, async () => {
    try {
      const now = Date.now();
      const { bars, late } = feed.take(now);
      await loadBars(db, [...bars, ...late], new Problems());
      const silence = feed.silence(now);
      const line = silence === undefined ? "" : describe(silence);
      if (line !== announced && line !== "") print(line);
      announced = line;
      if (late.length > 0) print(`${clock(now)} ${late.length} late minutes of ${late[0]!.symbol} came in`);
    } catch (error) {
      print(`the made-up feed failed at ${clock(Date.now())}: ${describeError(error)}`);
    }
  });
  return { [Symbol.dispose]: () => cron.stop() };
}

function describe({ symbol, from, to, lateAt }: Silence): string {
  const fate = lateAt === undefined ? "its minutes are lost" : `its minutes come late, at ${clock(lateAt)}`;
  return `${clock(from)} ${symbol} falls silent until ${clock(to)}; ${fate}`;
}

function clock(ts: number): string {
  return `${new Date(ts).toISOString().slice(11, 16)} UTC`;
}
