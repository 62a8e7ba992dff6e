import { unknownAnswer, unwrap } from "./answer.ts";
import type { Api } from "./api.ts";
import { readSymbols, type Timeframe } from "./bars.ts";
import type { Database } from "./database_types.ts";
import { PAGE } from "./pages.ts";
import { type Instant, readInstant } from "./range.ts";
import { show } from "./values.ts";

const CALL = "getChanges";

export interface ChangeQuery {
  /** The first instant at which a bar may have changed. */
  from: Instant;
  /** The end. Without it, until now. */
  to?: Instant;
  /** Without them, of all symbols. */
  symbols?: readonly string[];
  /** Without it, of all timeframes. */
  timeframe?: Timeframe;
}

/** What a bar was, or became. */
export interface ChangedBar {
  open: number;
  high: number;
  low: number;
  close: number;
  vol: number | null;
  vwap: number | null;
  trade_count: number | null;
  quality_score: number;
  covered_minutes: number;
  expected_minutes: number;
  is_partial: boolean;
}

/** A bar that changed after it had been built. */
export interface Change {
  changed_at: Date;
  canonical_symbol: string;
  timeframe: string;
  ts_utc: Date;
  /** `late_minutes`, `lost_minutes`, `changed_minutes`, `new_rules`, `by_hand` or `deleted`. */
  reason: string;
  /** Since when the bar had been as it was before. */
  seen_from: Date;
  /** Null where there was no bar. */
  before: ChangedBar | null;
  /** Null where there is no bar any more. */
  after: ChangedBar | null;
}

type Row = Database["public"]["Functions"]["agg_changes"]["Returns"][number];

/**
 * Reads which bars changed in [from, to), by time of change, page by page. Throws a TypeError or RangeError for arguments
 * that do not make sense, and a PgbarsError when a request failed.
 */
export async function getChanges(api: Api, query: ChangeQuery): Promise<Change[]> {
  if (typeof query !== "object" || query === null) {
    throw new TypeError(`${CALL}: the query must be an object, not ${show(query)}`);
  }
  const { to, symbols, timeframe } = query;
  const [start, end] = [readInstant(`${CALL}: from`, query.from), to && readInstant(`${CALL}: to`, to)];
  if (end && start >= end) throw new RangeError(`${CALL}: from (${start}) must be before to (${end})`);
  const args = {
    p_from: start,
    ...(end && { p_to: end }),
    ...(symbols !== undefined && { p_symbols: readSymbols(CALL, symbols) }),
    ...(timeframe !== undefined && { p_timeframe: timeframe }),
    p_limit: PAGE,
  };
  const changes: Change[] = [];
  let after: Row | undefined;
  do {
    const page = readRows(
      unwrap(CALL, await api.rpc("agg_changes", { ...args, ...(after && { p_after: keyOf(after) }) }).limit(PAGE)),
    );
    changes.push(...page.map(toChange));
    after = page.at(-1);
  } while (after !== undefined);
  return changes;
}

function readRows(answer: unknown): Row[] {
  if (!Array.isArray(answer)) throw unknownAnswer(CALL, "it is not a list");
  return answer;
}

function keyOf({ changed_at, canonical_symbol, timeframe, ts_utc }: Row) {
  return { changed_at, canonical_symbol, timeframe, ts_utc };
}

function toChange({ changed_at, ts_utc, seen_from, before, after, ...row }: Row): Change {
  return {
    ...row,
    changed_at: new Date(changed_at),
    ts_utc: new Date(ts_utc),
    seen_from: new Date(seen_from),
    before: before as ChangedBar | null,
    after: after as ChangedBar | null,
  };
}
