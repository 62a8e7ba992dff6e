import type { Api } from "./api.ts";
import { listen, type Realtime } from "./bar_channel.ts";
import { readInterval, readSymbols, type Timeframe } from "./bars.ts";
import { getBars, type ReadBar } from "./get_bars.ts";
import { getChanges } from "./get_changes.ts";
import { show } from "./values.ts";

const CALL = "subscribeBars";

export interface BarSubscription {
  /** `canonical_symbol`s. One that is not known has no bars. */
  symbols: readonly string[];
  /** Longer than `1m`. It is broadcast where `enable_broadcast` of the database was given it. */
  timeframe: Timeframe;
  /** How many of the latest bars of each symbol come first. 1 when absent. */
  last?: number;
  /** Bars are read this often whatever is broadcast: a message may be lost. 60 when absent. */
  pollSeconds?: number;
  /** Takes bars that are new or corrected, in no particular order. Each takes the place of what there was. */
  onBars: (update: BarUpdate) => void;
  /** Takes what went wrong with a request, or in `onBars`. Bars are read again after `pollSeconds`. */
  onError?: (error: unknown) => void;
  /** Takes whether messages are received (`live`), or bars are only read from time to time (`polling`). */
  onState?: (state: "live" | "polling") => void;
}

export interface BarUpdate {
  bars: ReadBar[];
  /** Windows that have no bar any more. */
  gone: { canonical_symbol: string; ts_utc: Date }[];
  source: "broadcast" | "poll";
}

export interface Subscription {
  /** Ends it. Nothing comes after that. */
  unsubscribe(): Promise<void>;
}

/** What `agg.send_broadcasts` sends. */
interface Message {
  timeframe: string;
  revision: number;
  columns?: string[];
  /** One that ends after the start of its window is gone. */
  bars?: unknown[][];
  /** Symbols with the first and the last start of what changed, when that is too much for messages. */
  reload?: [symbol: string, first: string, last: string][];
}

/** A bar as it was handed over: the time of its row, null for one that is gone; its values; and the message it was in. */
interface Known {
  updatedAt: number | null;
  values: string;
  revision: number;
}

/** Whether it was handed over as it is, or as it became later. The clock of a row is finer than that of a Date. */
function isKnown(before: Known | undefined, updatedAt: number, values: string): boolean {
  if (before?.updatedAt === undefined || before.updatedAt === null) return false;
  return before.updatedAt > updatedAt || (before.updatedAt === updatedAt && before.values === values);
}

function valuesOf(bar: ReadBar): string {
  const { open, high, low, close, vol, vwap, trade_count, quality_score, covered_minutes, expected_minutes } = bar;
  return [open, high, low, close, vol, vwap, trade_count, quality_score, covered_minutes, expected_minutes].join();
}

/** How much longer than its window a bar may take until it is built, before a poll overlooks it. */
const LATEST_BUILD = 15 * 60_000;
/** Bars that are remembered, so that a poll does not repeat them. */
const MOST_KNOWN = 20_000;

/**
 * Hands over bars as they are built or corrected, by broadcast and by polling. Throws a TypeError or RangeError for arguments
 * that do not make sense.
 */
export function subscribeBars(api: Api, realtime: Partial<Realtime>, subscription: BarSubscription): Subscription {
  if (typeof subscription !== "object" || subscription === null) {
    throw new TypeError(`${CALL}: the subscription must be an object, not ${show(subscription)}`);
  }
  const { timeframe, last = 1, pollSeconds = 60, onBars, onError, onState } = subscription;
  const symbols = readSymbols(CALL, subscription.symbols);
  const interval = readInterval(CALL, timeframe);
  if (timeframe === "1m") throw new RangeError(`${CALL}: timeframe must be longer than 1m`);
  if (!(pollSeconds >= 1 && pollSeconds <= 86_400)) {
    throw new RangeError(`${CALL}: pollSeconds must be from 1 to 86400, not ${show(pollSeconds)}`);
  }
  if (!(Number.isInteger(last) && last > 0)) {
    throw new RangeError(`${CALL}: last must be a whole number above 0, not ${show(last)}`);
  }
  if (typeof onBars !== "function") throw new TypeError(`${CALL}: onBars must be a function, not ${show(onBars)}`);

  const wanted = new Set(symbols);
  const known = new Map<string, Known>();
  let revision: number | undefined;
  let polledAt: number | undefined;
  let hasEnded = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let work: Promise<void> = Promise.resolve();

  const keyOf = (symbol: string, ts: Date) => `${ts.getTime()} ${symbol}`;
  const remember = (key: string, is: Known) => {
    known.delete(key);
    known.set(key, is);
    if (known.size > MOST_KNOWN) known.delete(known.keys().next().value!);
  };
  const handOver = (update: BarUpdate) => {
    if (hasEnded || update.bars.length + update.gone.length === 0) return;
    try {
      onBars(update);
    } catch (error) {
      onError?.(error);
    }
  };
  /** Of bars that were read, those that are not known as they are. */
  const takeRead = (bars: readonly ReadBar[], gone: BarUpdate["gone"] = []) => {
    const update: BarUpdate = { bars: [], gone: [], source: "poll" };
    for (const bar of bars) {
      const key = keyOf(bar.canonical_symbol, bar.ts_utc);
      const updatedAt = bar.updated_at!.getTime();
      const before = known.get(key);
      const values = valuesOf(bar);
      if (isKnown(before, updatedAt, values)) continue;
      remember(key, { updatedAt, values, revision: before?.revision ?? 0 });
      update.bars.push(bar);
    }
    for (const bar of gone) {
      const key = keyOf(bar.canonical_symbol, bar.ts_utc);
      const before = known.get(key);
      if (before?.updatedAt === null) continue;
      remember(key, { updatedAt: null, values: "", revision: before?.revision ?? 0 });
      update.gone.push(bar);
    }
    handOver(update);
  };

  const read = async () => {
    const now = Date.now();
    if (polledAt === undefined) takeRead(await getBars(api, { symbols, timeframe, last }));
    else {
      // What was built since, and what was corrected.
      const from = new Date(polledAt - 2 * interval - LATEST_BUILD);
      const changes = await getChanges(api, { from: new Date(polledAt - LATEST_BUILD), symbols, timeframe });
      const bars = await getBars(api, { symbols, timeframe, from });
      const changed = new Map(changes.map((change) => [keyOf(change.canonical_symbol, change.ts_utc), change]));
      takeRead(bars);
      for (const { canonical_symbol, ts_utc, after } of changed.values()) {
        if (ts_utc < from && after !== null) await readSpan(canonical_symbol, ts_utc, ts_utc);
        else if (after === null) takeRead([], [{ canonical_symbol, ts_utc }]);
      }
    }
    polledAt = now;
  };
  const readSpan = async (symbol: string, first: Date, last: Date) =>
    takeRead(
      await getBars(api, { symbols: [symbol], timeframe, from: first, to: new Date(last.getTime() + 1) }),
    );
  /** One request at a time. */
  const enqueue = (task: () => Promise<void>) => {
    work = work.then(async () => {
      if (!hasEnded) await task();
    }).catch((error) => void (hasEnded || onError?.(error)));
  };
  const poll = () => {
    clearTimeout(timer);
    enqueue(read);
    timer = setTimeout(poll, pollSeconds * 1000);
  };

  const receive = (message: Message) => {
    if (hasEnded || message?.timeframe !== timeframe || !Number.isInteger(message.revision)) return;
    const hasMissed = revision !== undefined && message.revision > revision + 1;
    revision = Math.max(revision ?? 0, message.revision);
    const update: BarUpdate = { bars: [], gone: [], source: "broadcast" };
    for (const values of message.bars ?? []) {
      const row = Object.fromEntries(values.map((value, index) => [message.columns?.[index] ?? index, value]));
      const canonical_symbol = String(row["canonical_symbol"]);
      if (!wanted.has(canonical_symbol)) continue;
      const ts_utc = new Date(String(row["ts_utc"]));
      const key = keyOf(canonical_symbol, ts_utc);
      const before = known.get(key);
      if (before !== undefined && before.revision >= message.revision) continue;
      if (values.length === 2) {
        if (before?.updatedAt !== null) update.gone.push({ canonical_symbol, ts_utc });
        remember(key, { updatedAt: null, values: "", revision: message.revision });
        continue;
      }
      const updated_at = new Date(String(row["updated_at"]));
      const bar = { ...row, timeframe, ts_utc, is_filled: false, is_forming: false, updated_at } as unknown as ReadBar;
      // A poll may have read it before.
      if (!isKnown(before, updated_at.getTime(), valuesOf(bar))) update.bars.push(bar);
      remember(key, { updatedAt: updated_at.getTime(), values: valuesOf(bar), revision: message.revision });
    }
    handOver(update);
    for (const [symbol, first, last] of message.reload ?? []) {
      if (wanted.has(symbol)) enqueue(() => readSpan(symbol, new Date(first), new Date(last)));
    }
    if (hasMissed) poll();
  };

  let leave: (() => Promise<void>) | undefined;
  poll();
  if (typeof realtime.channel !== "function") onState?.("polling");
  else {
    leave = listen(realtime as Realtime, `bars:${timeframe}`, {
      receive: (payload) => receive(payload as Message),
      become: (isLive) => {
        if (hasEnded) return;
        onState?.(isLive ? "live" : "polling");
        // What went out before, or while there was no connection, is read.
        if (isLive) poll();
      },
      fail: (error) => void (hasEnded || onError?.(error)),
    });
  }
  return {
    unsubscribe: async () => {
      hasEnded = true;
      clearTimeout(timer);
      await leave?.();
    },
  };
}
