import assert from "node:assert/strict";
import {
  type Bar,
  barsOf,
  buildWindows,
  cursorAfterCatchup,
  type DerivedBar,
  firstWindow,
  LENGTH,
  type Timeframe,
} from "../../../model/aggregator.ts";
import { type Basket, basketMinute, basketTolerance } from "../../../model/basket.ts";
import type { Database } from "../database.ts";

interface Task {
  symbol: string;
  timeframe: Timeframe;
  cursor: number;
  startUtc: number;
  delaySeconds: number;
  goodPercent: number;
  poorPercent: number;
}

interface BasketRow extends Basket {
  symbol: string;
  version: 1 | 2;
}

/** Everything that the tables hold, by symbol, and by timeframe where there are several. Bars are in order of time. */
interface Stored {
  tasks: Task[];
  baskets: Map<string, BasketRow>;
  minutes: Map<string, Bar[]>;
  derived: Map<string, DerivedBar[]>;
}

/** What the bars of each timeframe are built from. */
const SOURCE = { "5m": "1m", "1h": "5m" } as const;

/**
 * Once the dispatcher is idle at the clock `now` (milliseconds since 1970), and every asset is 24x7: nothing waits,
 * cursors are where catch-up has to bring them and not beyond a frontier, and behind them are exactly the bars and
 * synthetic minutes that the independent aggregator makes of the source bars. Rejects with the first differences.
 */
export async function checkConverged(db: Database, now: number): Promise<void> {
  await checkNothingWaits(db);
  const problems = findDifferences(await readStored(db), now);
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

function findDifferences({ tasks, baskets, minutes, derived }: Stored, now: number): string[] {
  const problems: string[] = [];
  const expected = new Map<string, Bar[]>(
    [...minutes].filter(([symbol]) => !baskets.has(symbol)).map(([symbol, bars]) => [`${symbol} 1m`, bars]),
  );
  const byName = new Map(tasks.map((task) => [`${task.symbol} ${task.timeframe}`, task]));
  for (const task of tasks.toSorted((a, b) => LENGTH[a.timeframe] - LENGTH[b.timeframe])) {
    const name = `${task.symbol} ${task.timeframe}`;
    const length = LENGTH[task.timeframe];
    const first = firstWindow(task.startUtc, length);
    const isDecided = (bar: { ts: number }) => first <= bar.ts && bar.ts <= task.cursor;
    if (task.timeframe === "1m") {
      const basket = baskets.get(task.symbol)!;
      const stored = minutes.get(task.symbol) ?? [];
      const complete = basketMinutes(basket, minutes).filter(isDecided);
      problems.push(...compareMinutes(name, stored, complete));
      problems.push(...checkCursor(task, now, [lastMinute(basket, minutes, now)]));
      // What is stored is right to the last decimal, so the bars built from it can be compared exactly.
      expected.set(name, stored);
      continue;
    }
    const source = SOURCE[task.timeframe];
    const sourceBars = expected.get(`${task.symbol} ${source}`) ?? [];
    const bars = barsOf(buildWindows(sourceBars, task.timeframe, { ...task, session: null })).filter(isDecided);
    problems.push(...compareBars(name, derived.get(name) ?? [], bars));
    problems.push(
      ...checkCursor(task, now, sourceBars.map((bar) => bar.ts), byName.get(`${task.symbol} ${source}`)),
    );
    expected.set(name, bars);
  }
  return problems;
}

/** The minutes of a basket, flat at the closes or with the open of the opens, not rounded. */
function basketMinutes(basket: BasketRow, minutes: Map<string, Bar[]>): { ts: number; open: number; close: number }[] {
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
function lastMinute(basket: BasketRow, minutes: Map<string, Bar[]>, now: number): number {
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

function compareBars(name: string, stored: DerivedBar[], expected: DerivedBar[]): string[] {
  return compareByTime(
    name,
    stored,
    expected,
    (a, b) => (Object.keys(b) as (keyof DerivedBar)[]).every((field) => a[field] === b[field]),
  );
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

function checkCursor(task: Task, now: number, sourceTimes: number[], source?: Task): string[] {
  const { cursor, startUtc, timeframe, delaySeconds } = task;
  const length = LENGTH[timeframe];
  const problems: string[] = [];
  const report = (what: string) =>
    problems.push(`${task.symbol} ${timeframe}: cursor ${new Date(cursor).toISOString()} ${what}`);
  if (cursor % length !== 0) report("is off its grid");
  const hasDecided = cursor >= firstWindow(startUtc, length);
  if (hasDecided && cursor + length + delaySeconds * 1000 > now) report("is beyond the time frontier");
  if (hasDecided && source && cursor + length > source.cursor + LENGTH[source.timeframe]) {
    report(`is beyond the source frontier ${new Date(source.cursor).toISOString()}`);
  }
  const reached = cursorAfterCatchup({
    timeframe,
    startUtc,
    delaySeconds,
    now,
    sourceTimes,
    ...(source && { sourceCursor: { cursor: source.cursor, length: LENGTH[source.timeframe] } }),
  });
  if (cursor < reached) report(`should have reached ${new Date(reached).toISOString()}`);
  return problems;
}

const BAR = `
  (extract(epoch from d.ts_utc) * 1000)::bigint as ts,
  d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count as "tradeCount"`;

async function readStored(db: Database): Promise<Stored> {
  const tasks = await db.query<Task>(
    `select s.canonical_symbol as symbol, s.timeframe,
       (extract(epoch from s.last_agg_bar_ts_utc) * 1000)::bigint as cursor,
       (extract(epoch from s.agg_start_utc) * 1000)::bigint as "startUtc",
       s.aggregation_delay_seconds as "delaySeconds", s.good_percent as "goodPercent", s.poor_percent as "poorPercent"
     from public.data_agg_state as s`,
  );
  const baskets = await db.query<BasketRow>(
    `select r.canonical_symbol as symbol, (r.metadata ->> 'formula_base')::float8 as base,
       r.metadata -> 'component_weights' as weights, coalesce((r.metadata ->> 'derivation_version')::integer, 1) as version
     from public.core_asset_registry_all as r where r.metadata ->> 'is_synthetic' = 'true'`,
  );
  const minutes = await db.query<Bar & { name: string }>(
    `select d.canonical_symbol as name, ${BAR} from public.data_bars as d order by d.ts_utc`,
  );
  const derived = await db.query<DerivedBar & { name: string }>(
    `select d.canonical_symbol || ' ' || d.timeframe as name, ${BAR},
       d.source_candles as "sourceCandles", d.expected_candles as "expectedCandles",
       d.covered_minutes as "coveredMinutes", d.expected_minutes as "expectedMinutes", d.quality_score as quality
     from public.derived_data_bars as d where d.deleted_at is null order by d.ts_utc`,
  );
  return {
    tasks,
    baskets: new Map(baskets.map((basket) => [basket.symbol, basket])),
    minutes: Map.groupBy(minutes, (bar) => bar.name),
    derived: Map.groupBy(derived, (bar) => bar.name),
  };
}
