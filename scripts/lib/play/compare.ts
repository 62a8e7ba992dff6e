import assert from "node:assert/strict";
import {
  aggregate,
  type AssetRules,
  type Bar,
  barsOf,
  cursorAfterCatchup,
  type DerivedBar,
  firstWindow,
  leastCursor,
  LENGTH,
  sourceOf,
  type Timeframe,
  timeFrontier,
  type Window,
  windowOf,
} from "../../../model/aggregator.ts";
import { type Basket, basketMinute, basketTolerance } from "../../../model/basket.ts";
import { rulesOf } from "../../../model/world.ts";
import type { Database } from "../database.ts";

interface Task {
  symbol: string;
  timeframe: Timeframe;
  cursor: number;
  /** The end of what corrections follow: of what is decided, or of what was built ahead of it. */
  followedTo: number;
  delaySeconds: number;
}

interface Asset {
  symbol: string;
  rules: AssetRules;
  /** Null for an asset with bars of its own. */
  basket: Basket & { version: 1 | 2 } | null;
  /** In order of time, as those below. */
  minutes: Bar[];
  /** By timeframe. */
  tasks: Map<Timeframe, Task>;
  derived: Map<Timeframe, DerivedBar[]>;
  /** Windows whose minutes are too few for a bar, as the table keeps them for longer bars. */
  kept: Map<Timeframe, Omit<DerivedBar, "quality">[]>;
  /** Where the bars that are kept begin. */
  floors: Map<Timeframe, number>;
}

/**
 * Once the dispatcher is idle at the clock `now` (milliseconds since 1970): nothing waits, cursors are where catch-up has
 * to bring them and not beyond a frontier, and behind them are exactly the bars and synthetic minutes that the independent
 * aggregator makes of the 1m bars. Rejects with the first differences.
 */
export async function checkConverged(db: Database, now: number): Promise<void> {
  await checkNothingWaits(db);
  const assets = await readAssets(db);
  const minutes = new Map(assets.map(({ symbol, minutes }) => [symbol, minutes]));
  const floors = new Map(assets.map(({ symbol, floors }) => [symbol, floors]));
  const problems = assets.flatMap((asset) => findDifferences(asset, minutes, floors, now));
  assert.deepEqual(problems.slice(0, 10), [], `${problems.length} differences to the independent aggregator`);
}

async function checkNothingWaits(db: Database): Promise<void> {
  const waiting = await db.query(
    `select 'a change note' as what, to_jsonb(n) as row from agg.change_note as n
     union all select 'a correction', to_jsonb(k) from agg.correction as k
     union all select 'agg_pending()', to_jsonb(p) from public.agg_pending() as p
     union all select 'agg_verify()', to_jsonb(v) from public.agg_verify() as v
     union all select 'a task', to_jsonb(s) from public.data_agg_state as s
       where s.status <> 'idle' or s.running_started_at_utc is not null
     limit 10`,
  );
  assert.deepEqual(waiting, [], "something is left");
}

function findDifferences(
  asset: Asset,
  minutes: Map<string, Bar[]>,
  floors: Map<string, Asset["floors"]>,
  now: number,
): string[] {
  const { symbol, basket } = asset;
  const floorOf = (symbol: string, timeframe: Timeframe) => floors.get(symbol)?.get(timeframe) ?? -Infinity;
  const componentFloor = Math.max(...Object.keys(basket?.weights ?? {}).map((symbol) => floorOf(symbol, "1m")));
  /** Where a task starts: at the floors of the bars that it makes and reads. */
  const startOf = (timeframe: Timeframe) =>
    Math.max(
      asset.rules.startUtc,
      floorOf(symbol, timeframe),
      timeframe === "1m" ? componentFloor : floorOf(symbol, sourceOf(timeframe, asset.rules)),
    );
  /** From where on all is there that its windows are made of, down to the minutes. What lies before stays as it was. */
  const wholeFrom = (timeframe: Timeframe): number =>
    Math.max(startOf(timeframe), timeframe === "1m" ? -Infinity : wholeFrom(sourceOf(timeframe, asset.rules)));
  const problems: string[] = [];
  // What is stored of a basket is right to the last decimal once it is compared, so bars are made of that.
  const { windows } = aggregate(asset.minutes, asset.rules);
  for (const [timeframe, task] of asset.tasks) {
    const name = `${symbol} ${timeframe}`;
    const rules = startingAt(asset.rules, startOf(timeframe));
    const whole = startingAt(asset.rules, wholeFrom(timeframe));
    const { from } = firstWindow(timeframe, whole);
    const isWhole = (bar: { ts: number }) => whole === asset.rules || from <= bar.ts;
    const isDecided = (bar: { ts: number }) => from <= bar.ts && bar.ts <= task.cursor;
    const [derived, kept] = [asset.derived.get(timeframe) ?? [], asset.kept.get(timeframe) ?? []];
    const stored = new Set([...derived, ...kept].map(({ ts }) => ts));
    // What was built ahead of the cursor, as before a reset, need not be there; what is there must be right.
    const isExpected = (bar: { ts: number }) =>
      isDecided(bar) || from <= bar.ts && bar.ts < task.followedTo && stored.has(bar.ts);
    if (timeframe === "1m") {
      problems.push(
        ...compareMinutes(name, asset.minutes.filter(isWhole), basketMinutes(basket!, minutes).filter(isDecided)),
      );
      problems.push(...checkCursor(task, rules, now, [lastMinute(basket!, minutes, now)]));
      continue;
    }
    problems.push(
      ...compareBars(name, derived.filter(isWhole), barsOf(windows[timeframe]).filter(isExpected)),
    );
    const short = windows[timeframe].flatMap(({ bar, content }) => bar ? [] : [content]).filter(isExpected);
    problems.push(...compareBars(`${name} without a bar`, kept.filter(isWhole), short));
    const source = sourceOf(timeframe, rules);
    const sourceTask = asset.tasks.get(source);
    problems.push(...checkCursor(task, rules, now, sourceTimes(asset, windows, source), sourceTask));
  }
  return problems;
}

/** The same object where nothing changes: what it computes of rules, the model keeps by object. */
function startingAt(rules: AssetRules, startUtc: number): AssetRules {
  return startUtc === rules.startUtc ? rules : { ...rules, startUtc };
}

/** Starts of the bars, and of windows with minutes, that a task of `source` has decided. */
function sourceTimes(asset: Asset, windows: Record<string, Window[]>, source: Timeframe): number[] {
  if (source === "1m") return asset.minutes.map(({ ts }) => ts);
  const { cursor } = asset.tasks.get(source)!;
  return windows[source]!.map(({ from }) => from).filter((ts) => ts <= cursor);
}

/** The minutes of a basket, flat at the closes or with the open of the opens, not rounded. */
function basketMinutes(
  basket: NonNullable<Asset["basket"]>,
  minutes: Map<string, Bar[]>,
): { ts: number; open: number; close: number }[] {
  const components = Object.keys(basket.weights);
  const byTime = new Map<number, Record<string, Bar>>();
  for (const component of components) {
    for (const bar of minutes.get(component) ?? []) {
      byTime.set(bar.ts, { ...byTime.get(bar.ts), [component]: bar });
    }
  }
  return [...byTime].sort(([a], [b]) => a - b).flatMap(([ts, bars]) => {
    const prices = basketMinute(basket, bars);
    return prices === null ? [] : { ts, open: basket.version === 1 ? prices.close : prices.open, close: prices.close };
  });
}

/** A basket has data up to the last minute before `now` of the component that ends first. */
function lastMinute(basket: Basket, minutes: Map<string, Bar[]>, now: number): number {
  const lasts = Object.keys(basket.weights).map((component) =>
    minutes.get(component)?.findLast((bar) => bar.ts < now)?.ts ?? -Infinity
  );
  return Math.min(...lasts);
}

function compareMinutes(
  name: string,
  stored: Bar[],
  expected: { ts: number; open: number; close: number }[],
): string[] {
  return compareByTime(name, stored, expected, (bar, { open, close }) => {
    const near = (price: number, wanted: number) => Math.abs(price - wanted) <= basketTolerance(wanted);
    return near(bar.open, open) && near(bar.close, close) &&
      near(bar.high, Math.max(open, close)) && near(bar.low, Math.min(open, close)) &&
      bar.vol === 0 && bar.vwap === null && bar.tradeCount === 0;
  });
}

/** How far a sum of doubles may be from another one of the same doubles in another order. */
const SUM_TOLERANCE = 1e-12;

type Columns = Omit<DerivedBar, "quality"> & { quality?: number };

function compareBars(name: string, stored: Columns[], expected: Columns[]): string[] {
  const isSum = (column: string) => column === "vol" || column === "vwap";
  return compareByTime(name, stored, expected, (a, b) =>
    (Object.keys(b) as (keyof Columns)[]).every((column) => {
      const [value, wanted] = [a[column], b[column]];
      if (!isSum(column) || typeof value !== "number" || typeof wanted !== "number") return value === wanted;
      return Math.abs(value - wanted) <= SUM_TOLERANCE * Math.abs(wanted);
    }));
}

function compareByTime<A extends { ts: number }, B extends { ts: number }>(
  name: string,
  stored: A[],
  expected: B[],
  isEqual: (a: A, b: B) => boolean,
): string[] {
  const wanted = new Map(expected.map((bar) => [bar.ts, bar]));
  const problems: string[] = [];
  const report = (ts: number, what: string) => problems.push(`${name} ${new Date(ts).toISOString()}: ${what}`);
  for (const bar of stored) {
    const other = wanted.get(bar.ts);
    wanted.delete(bar.ts);
    if (!other) report(bar.ts, `nothing makes this bar: ${JSON.stringify(bar)}`);
    else if (!isEqual(bar, other)) report(bar.ts, `stored ${JSON.stringify(bar)}, expected ${JSON.stringify(other)}`);
  }
  for (const [ts, bar] of wanted) report(ts, `missing ${JSON.stringify(bar)}`);
  return problems;
}

function checkCursor(task: Task, rules: AssetRules, now: number, sourceTimes: number[], source?: Task): string[] {
  const { cursor, timeframe, delaySeconds } = task;
  const window = windowOf(cursor, timeframe, rules);
  const problems: string[] = [];
  const report = (what: string) =>
    problems.push(`${task.symbol} ${timeframe}: cursor ${new Date(cursor).toISOString()} ${what}`);
  if (cursor !== window.from) report("is off its grid");
  const hasDecided = cursor >= firstWindow(timeframe, rules).from;
  const sourceDecidedTo = source && source.cursor + LENGTH[source.timeframe];
  if (hasDecided && window.to > timeFrontier(timeframe, rules, delaySeconds, now)) {
    report("is beyond the time frontier");
  }
  if (hasDecided && sourceDecidedTo !== undefined && window.to > sourceDecidedTo) {
    report(`is beyond the source frontier ${new Date(sourceDecidedTo).toISOString()}`);
  }
  const reached = leastCursor(
    cursorAfterCatchup({
      timeframe,
      rules,
      delaySeconds,
      now,
      sourceTimes,
      ...(sourceDecidedTo !== undefined && { sourceDecidedTo }),
    }),
    timeframe,
    rules,
    delaySeconds,
    now,
  );
  if (cursor < reached) report(`should have reached ${new Date(reached).toISOString()}`);
  return problems;
}

const BAR = `
  (extract(epoch from d.ts_utc) * 1000)::bigint as ts,
  d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count as "tradeCount", d.is_partial as "isPartial"`;

const DERIVED_BAR = `${BAR},
  d.source_candles as "sourceCandles", d.expected_candles as "expectedCandles",
  d.covered_minutes as "coveredMinutes", d.expected_minutes as "expectedMinutes"`;

async function readAssets(db: Database): Promise<Asset[]> {
  const registry = await db.query<{ symbol: string; metadata: Record<string, unknown> }>(
    "select r.canonical_symbol as symbol, r.metadata from public.core_asset_registry_all as r",
  );
  const tasks = await db.query<Task>(
    `select s.canonical_symbol as symbol, s.timeframe,
       (extract(epoch from s.last_agg_bar_ts_utc) * 1000)::bigint as cursor,
       (extract(epoch from s.followed_to_utc) * 1000)::bigint as "followedTo", s.aggregation_delay_seconds as "delaySeconds"
     from agg.task as s`,
  );
  const minutes = await db.query<Bar & { symbol: string }>(
    `select d.canonical_symbol as symbol, ${BAR} from public.data_bars as d order by d.ts_utc`,
  );
  const derived = await db.query<DerivedBar & { symbol: string; timeframe: Timeframe }>(
    `select d.canonical_symbol as symbol, d.timeframe, ${DERIVED_BAR}, d.quality_score as quality
     from public.derived_data_bars as d where d.deleted_at is null order by d.ts_utc`,
  );
  const kept = await db.query<Omit<DerivedBar, "quality"> & { symbol: string; timeframe: Timeframe }>(
    `select d.canonical_symbol as symbol, d.timeframe, ${DERIVED_BAR}
     from public.derived_data_bars as d where d.deleted_at is not null and d.covered_minutes > 0 order by d.ts_utc`,
  );
  const floors = await db.query<{ symbol: string; timeframe: Timeframe; floor: number }>(
    `select f.canonical_symbol as symbol, f.timeframe, (extract(epoch from f.floor_utc) * 1000)::bigint as floor
     from agg.floor as f`,
  );
  const [tasksOf, minutesOf, derivedOf, keptOf, floorsOf] = [
    bySymbol(tasks),
    bySymbol(minutes),
    bySymbol(derived),
    bySymbol(kept),
    bySymbol(floors),
  ];
  return registry.map(({ symbol, metadata }) => ({
    symbol,
    rules: rulesOf(metadata["agg"] as Record<string, unknown>),
    basket: metadata["is_synthetic"] ? readBasket(metadata) : null,
    minutes: minutesOf.get(symbol) ?? [],
    tasks: new Map(tasksOf.get(symbol)!.map((task) => [task.timeframe, task])),
    derived: Map.groupBy(derivedOf.get(symbol) ?? [], ({ timeframe }) => timeframe),
    kept: Map.groupBy(keptOf.get(symbol) ?? [], ({ timeframe }) => timeframe),
    floors: new Map((floorsOf.get(symbol) ?? []).map(({ timeframe, floor }) => [timeframe, floor])),
  }));
}

function readBasket(metadata: Record<string, unknown>): Asset["basket"] {
  return {
    base: metadata["formula_base"] as number,
    weights: metadata["component_weights"] as Record<string, number>,
    version: metadata["derivation_version"] as 1 | 2,
  };
}

function bySymbol<Row extends { symbol: string }>(rows: Row[]): Map<string, Row[]> {
  return Map.groupBy(rows, ({ symbol }) => symbol);
}
