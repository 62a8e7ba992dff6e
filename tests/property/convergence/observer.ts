import assert from "node:assert/strict";
import { LENGTH } from "../../../model/aggregator.ts";
import type { Op } from "../../../model/ops.ts";
import type { Database } from "../../../scripts/lib/database.ts";
import type { Outcome } from "../../../scripts/lib/play/perform.ts";
import type { Written } from "../../../scripts/lib/play/writes.ts";

/** What must have happened in some history, with sessions that take turns, for a run to say anything. */
export const USUAL_CASES = [
  "a change behind a cursor was corrected",
  "a bar was removed",
  "a change went up to an hour",
  "a window without a bar of its own was part of a longer bar",
  "an optional timeframe was switched on again",
] as const;

/** What one history in a hundred meets, or one in ten. */
export const RARE_CASES = [
  "rows were committed after their window was decided",
  "a change ahead of the cursor was kept, since a worker had claimed the task",
  "a change ahead of the cursor was kept, since a dispatcher held the task",
  "a synthetic minute was removed",
  "a change went through the basket to an hour of it",
  "all bars were truncated",
  "more than 1,000 rows were written in a statement",
  "a bar was moved to another minute or symbol",
  "notes were folded",
  "a session was killed in a transaction",
  "a statement gave up waiting for a lock",
  "work with an old snapshot was refused",
  "a claim was abandoned and taken back",
  "a worker finished without naming its claim",
  "a finish was refused",
  "a dispatcher found another at work",
  "corrections waited for an asset that was switched off",
  "corrections were left for the next batch",
  "history waited for another batch",
  "a tampered bar was found",
  "bars were removed behind a floor",
  "a bar outlived minutes that it was made of",
  "a late minute behind a floor was refused",
] as const;

export type Case = typeof USUAL_CASES[number] | typeof RARE_CASES[number] | "a session was killed in mid-statement";

interface Probe {
  /** Tasks that have decided windows beyond a frontier. */
  ahead: string[];
  cursors: Record<string, number>;
  synthetic: number;
  /** Tasks of optional timeframes, and whether they are enabled. */
  optional: Record<string, boolean>;
  cases: Partial<Record<Case, boolean>>;
}

const PROBE = `select
  array(
    select s.canonical_symbol || ' ' || s.timeframe
    from agg.task as s
    left join agg.task as u
      on u.canonical_symbol = s.canonical_symbol and u.timeframe = s.source_timeframe and u.timeframe <> s.timeframe and u.enabled
    where s.last_agg_bar_ts_utc >= s.agg_start_utc and (
      s.decided_to_utc > u.decided_to_utc
      -- Where the market is closed, windows are decided ahead.
      or s.decided_to_utc + make_interval(secs => s.aggregation_delay_seconds) > $1 and agg.open_spans(
        s.session_time_zone, s.session_minutes, s.calendar,
        agg.window_start(
          $1 - make_interval(secs => s.aggregation_delay_seconds), s.window_length, s.window_time_zone, s.window_origin
        ),
        s.decided_to_utc
      ) <> '{}'
    )
  ) as ahead,
  (
    select coalesce(jsonb_object_agg(s.canonical_symbol, (extract(epoch from s.last_agg_bar_ts_utc) * 1000)::bigint), '{}')
    from public.data_agg_state as s where s.timeframe = '5m'
  ) as cursors,
  (select count(*) from public.data_bars as d where d.canonical_symbol = 'X') as synthetic,
  (
    select coalesce(jsonb_object_agg(s.canonical_symbol || ' ' || s.timeframe, s.enabled), '{}')
    from public.data_agg_state as s where not s.is_mandatory
  ) as optional,
  jsonb_build_object(
    'a window without a bar of its own was part of a longer bar', exists (
      select from public.derived_data_bars as d
      join public.derived_data_bars as l
        on l.canonical_symbol = d.canonical_symbol and l.timeframe in ('15m', '30m', '1h') and l.deleted_at is null
        and d.ts_utc >= l.ts_utc and d.ts_utc < l.ts_utc + l.timeframe::interval
      where d.timeframe = '5m' and d.deleted_at is not null and d.covered_minutes > 0
    ),
    'a bar was removed', exists (select from public.derived_data_bars as d where d.deleted_at is not null),
    'a change went up to an hour', exists (
      select from public.derived_data_bars as d where d.timeframe = '1h' and d.updated_at > d.created_at
    ),
    'a change went through the basket to an hour of it', exists (
      select from public.derived_data_bars as d
      where d.canonical_symbol = 'X' and d.timeframe = '1h' and d.updated_at > d.created_at
    ),
    'a claim was abandoned and taken back', exists (
      select from public.data_agg_state as s where s.last_error like 'claim of % was abandoned'
    ),
    'a change ahead of the cursor was kept, since a worker had claimed the task', coalesce(k.claimed, false),
    'a change ahead of the cursor was kept, since a dispatcher held the task', coalesce(k.held, false),
    'corrections waited for an asset that was switched off', coalesce(k.off, false),
    'history waited for another batch', coalesce(k.history, false)
  ) as cases
from (
  select
    bool_or(a.is_ahead and s.running_started_at_utc is not null) as claimed,
    bool_or(a.is_ahead and s.running_started_at_utc is null) as held,
    bool_or(not s.enabled) as off,
    bool_or(k.is_backfill) as history
  from agg.correction as k
  join public.data_agg_state as s using (canonical_symbol, timeframe)
  cross join lateral (
    select upper(k.spans) > s.last_agg_bar_ts_utc + make_interval(mins => s.run_interval_minutes)
  ) as a (is_ahead)
) as k`;

/** Follows a history from outside and counts in how many steps of the run each case was met. */
export class Observer {
  readonly #db: Database;
  readonly #seen: Map<Case, number>;
  #cursors: Record<string, number> = {};
  #synthetic = 0;
  /** Tasks of optional timeframes that have been switched off. */
  readonly #off = new Set<string>();
  /** By symbol, timeframe and start: what bars were when their minutes were removed. */
  #frozen = new Map<string, string>();
  /** What each session has written in its open transaction, with the cursors then. */
  readonly #open = new Map<number, { written: Written; cursors: Record<string, number> }[]>();

  constructor(db: Database, seen: Map<Case, number>) {
    this.#db = db;
    this.#seen = seen;
  }

  /**
   * Counts the cases that one operation of a session met, at the clock `now`. Rejects when a task has decided windows
   * beyond a frontier, which must never happen.
   */
  async observe(session: number, op: Op, outcome: Outcome, inTransaction: boolean, now: number): Promise<void> {
    this.#countOutcome(op, outcome);
    const late = op.kind === "commit" ? this.#open.get(session) ?? [] : [];
    if (!inTransaction) this.#open.delete(session);
    else if (outcome.written?.rows) {
      const written = this.#open.get(session) ?? [];
      this.#open.set(session, [...written, { written: outcome.written, cursors: this.#cursors }]);
    }
    if (["begin", "begin with one snapshot", "claim", "build", "write", "edit", "move"].includes(op.kind)) return;

    const [probe] = await this.#db.query<Probe>(PROBE, [new Date(now)]);
    assert.deepEqual(probe!.ahead, [], "tasks beyond a frontier");
    for (const [name, isMet] of Object.entries(probe!.cases)) if (isMet) this.#count(name as Case);
    if (op.kind === "tamper" && await this.#hasCorrection(op.task)) this.#count("a tampered bar was found");
    if (outcome.corrected && await this.#hasCorrection()) this.#count("corrections were left for the next batch");
    if (probe!.synthetic < this.#synthetic && op.kind !== "truncate" && op.kind !== "remove") {
      this.#count("a synthetic minute was removed");
    }
    if (late.some((write) => wasDecidedMeanwhile(write, probe!.cursors))) {
      this.#count("rows were committed after their window was decided");
    }
    for (const [task, isEnabled] of Object.entries(probe!.optional)) {
      if (!isEnabled) this.#off.add(task);
      else if (this.#off.delete(task)) this.#count("an optional timeframe was switched on again");
    }
    if (op.kind === "remove" && !outcome.refused && !inTransaction) {
      await this.checkFrozen();
      this.#frozen = await this.#readFrozen();
      if (outcome.removed) this.#count("bars were removed behind a floor");
      if (outcome.removed && this.#frozen.size > 0) this.#count("a bar outlived minutes that it was made of");
    }
    this.#synthetic = probe!.synthetic;
    this.#cursors = probe!.cursors;
  }

  #countOutcome(op: Op, { refused, written, corrected, stoppedReason }: Outcome): void {
    if (corrected) this.#count("a change behind a cursor was corrected");
    if (stoppedReason === "busy") this.#count("a dispatcher found another at work");
    if (stoppedReason === "killed in a transaction") this.#count("a session was killed in a transaction");
    if (refused === "23000") this.#count("a late minute behind a floor was refused");
    if (refused === "57P01") this.#count("a session was killed in mid-statement");
    if (refused === "25001") this.#count("work with an old snapshot was refused");
    if (refused === "55P03") this.#count("a statement gave up waiting for a lock");
    if (written && written.rows > 1000) this.#count("more than 1,000 rows were written in a statement");
    if (op.kind === "move" && written?.rows) this.#count("a bar was moved to another minute or symbol");
    if (op.kind === "truncate" && !refused) this.#count("all bars were truncated");
    if (op.kind === "finish" && refused) this.#count("a finish was refused");
    if (op.kind === "finish" && !refused && !op.byClaim) this.#count("a worker finished without naming its claim");
    if (stoppedReason === "folded") this.#count("notes were folded");
  }

  /** Longer bars whose minutes may be gone. They must stay as they are, but for those behind a floor of their own. */
  async #readFrozen(): Promise<Map<string, string>> {
    const rows = await this.#db.query<{ key: string; bar: string }>(
      `select d.canonical_symbol || ' ' || d.timeframe || ' ' || d.ts_utc as key, (to_jsonb(d) - 'updated_at')::text as bar
       from public.derived_data_bars as d
       join agg.floor as m on m.canonical_symbol = d.canonical_symbol and m.timeframe = '1m'
       left join agg.floor as o on o.canonical_symbol = d.canonical_symbol and o.timeframe = d.timeframe
       where d.deleted_at is null and d.timeframe = '5m' and d.ts_utc < m.floor_utc and d.ts_utc >= coalesce(o.floor_utc, '-infinity')`,
    );
    return new Map(rows.map(({ key, bar }) => [key, bar]));
  }

  /** Rejects when a bar behind the floor of its minutes has changed or gone. */
  async checkFrozen(): Promise<void> {
    if (this.#frozen.size === 0) return;
    const now = await this.#readFrozen();
    const [own] = await this.#db.query<{ floors: Record<string, string> }>(
      `select coalesce(jsonb_object_agg(f.canonical_symbol, f.floor_utc::text), '{}') as floors from agg.floor as f where f.timeframe = '5m'`,
    );
    for (const [key, bar] of this.#frozen) {
      const [symbol, , ...time] = key.split(" ");
      const floor = own!.floors[symbol!];
      if (floor !== undefined && time.join(" ") < floor) continue;
      assert.equal(now.get(key), bar, `${key}, whose minutes are not kept`);
    }
  }

  async #hasCorrection(task: { symbol: string; timeframe: string } | null = null): Promise<boolean> {
    const rows = await this.#db.query(
      `select from agg.correction as k
       where $1::text is null or k.canonical_symbol = $1 and k.timeframe = $2 limit 1`,
      [task?.symbol, task?.timeframe],
    );
    return rows.length > 0;
  }

  #count(name: Case): void {
    this.#seen.set(name, (this.#seen.get(name) ?? 0) + 1);
  }
}

function wasDecidedMeanwhile(
  { written, cursors }: { written: Written; cursors: Record<string, number> },
  cursorsNow: Record<string, number>,
): boolean {
  return written.symbols!.some((symbol) => {
    const before = cursors[symbol];
    const after = cursorsNow[symbol];
    if (before === undefined || after === undefined) return false;
    return written.to! >= before + LENGTH["5m"] && written.from! < after + LENGTH["5m"] && before < after;
  });
}
