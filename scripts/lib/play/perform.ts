import assert from "node:assert/strict";
import type { Op } from "../../../model/ops.ts";
import { BASKET, startText } from "../../../model/world.ts";
import { type Database, DatabaseError } from "../database.ts";
import { type Actor, wasKilled } from "./actors.ts";
import { loadStatements, writeStatement, type Written } from "./writes.ts";

/** What an outside worker remembers of its claim. */
interface Claim {
  symbol: string;
  timeframe: string;
  claimedAt: string;
  newCursor: string | null;
}

/** What the sessions of a history share. */
export interface Scene {
  /** A session that no operation kills. */
  db: Database;
  actors: Actor[];
  claims: Map<number, Claim>;
  /** Starts of aggregation that have been moved, in minutes. */
  startMinutes: Map<string, number>;
  startMinute: number;
  /** How many dispatchers share the work: each session runs in one of them, in turn. One when absent. */
  lanes?: number;
}

/** The outcome of an operation. `refused` is the SQLSTATE when Postgres refused it for a reason that is allowed. */
export interface Outcome {
  refused?: string;
  written?: Written;
  corrected?: number;
  /** Bars behind a floor. */
  removed?: number;
  stoppedReason?: string;
}

/** Building in a transaction that keeps one snapshot. */
const OLD_SNAPSHOT = "25001";

/** A lock that is not granted, a deadlock, a killed session, and the errors of a transaction that keeps one snapshot. */
const CONTENTION = ["55P03", "40P01", "57P01", "40001", OLD_SNAPSHOT];
const UNIQUE_VIOLATION = "23505";
/** A minute behind the floor of its symbol. */
const NOT_KEPT = "23000";

/** Other errors that an operation may get: no such task, a claim that has ended, a cursor that has advanced. */
const REFUSALS: Partial<Record<Op["kind"], string[]>> = {
  write: [UNIQUE_VIOLATION, NOT_KEPT],
  load: [NOT_KEPT],
  edit: [NOT_KEPT],
  move: [UNIQUE_VIOLATION, NOT_KEPT],
  claim: ["P0002"],
  build: ["P0002"],
  finish: ["55000", "22023"],
  bootstrap: ["P0002"],
  backfill: ["P0002"],
};

/** Does `op` at the clock `now`. Rolls back when Postgres refuses it for an allowed reason, and rejects for any other. */
export async function perform(scene: Scene, session: number, op: Op, now: number): Promise<Outcome> {
  const actor = scene.actors[session]!;
  try {
    return await attempt(scene, session, op, now);
  } catch (error) {
    const isRefusal = error instanceof DatabaseError &&
      [...CONTENTION, ...REFUSALS[op.kind] ?? []].includes(error.code);
    if (!isRefusal) throw error;
    await actor.end("rollback");
    return { refused: error.code };
  }
}

async function attempt(scene: Scene, session: number, op: Op, now: number): Promise<Outcome> {
  const actor = scene.actors[session]!;
  const clock = new Date(now);
  switch (op.kind) {
    case "begin":
      await actor.begin();
      return {};
    case "begin with one snapshot":
      await actor.beginWithOneSnapshot();
      return {};
    case "commit":
    case "rollback":
      await actor.end(op.kind);
      return {};
    case "restart":
      await actor.restart();
      return {};
    case "kill": {
      const target = scene.actors[op.target]!;
      if (op.atWork && target !== actor) await target.waitUntilAtWork(scene.db);
      return await target.kill(scene.db) ? { stoppedReason: "killed in a transaction" } : {};
    }
    case "truncate":
      // Left open, its lock would block every other session.
      if (actor.inTransaction) await actor.end("commit");
      await actor.exec("truncate public.data_bars");
      return {};
    case "fold":
      return await fold(actor);
    case "remove":
      return await remove(actor, clock);
    case "load":
      await load(actor, loadStatements(op, now), op.notedAfter);
      return {};
    case "write":
    case "edit":
    case "delete":
    case "move": {
      const [written] = await actor.query<Written>(writeStatement(op, now));
      return { written: written! };
    }
    case "batch":
      return await runBatch(actor, op, clock);
    case "run":
      return await runDue(actor, op, clock, 1 + session % (scene.lanes ?? 1));
    case "claim":
    case "build":
    case "finish":
      return await work(scene, actor, op, clock);
    case "switch":
      await actor.exec(
        `update public.core_asset_registry_all set active = ${op.on} where canonical_symbol = '${op.symbol}'`,
      );
      return {};
    case "optional":
      await setMetadata(actor, op.symbol, ["optional"], op.timeframes);
      return {};
    case "keep":
      await setMetadata(actor, op.symbol, ["keep"], op.keep);
      return {};
    case "thresholds":
      await setMetadata(actor, op.symbol, ["quality"], { good: op.good, poor: op.poor });
      return {};
    case "earlier": {
      const minute = (scene.startMinutes.get(op.symbol) ?? scene.startMinute) - op.minutes;
      // Kept before the statement: a killed session may have committed it, and a start must never move to a later minute.
      scene.startMinutes.set(op.symbol, minute);
      await setMetadata(actor, op.symbol, ["start_utc"], startText(minute));
      return {};
    }
    case "bootstrap":
      await actor.query("select public.agg_bootstrap_cursor($1, $2)", [op.task.symbol, op.task.timeframe]);
      return {};
    case "backfill":
      await actor.query("select public.agg_backfill(array[$1], $2::text[], null, $3, $4)", [
        op.task.symbol,
        op.allTimeframes ? null : [op.task.timeframe],
        new Date(now - op.back * 60_000),
        clock,
      ]);
      return {};
    case "tamper":
      await tamper(actor, op, clock);
      return {};
  }
}

/** Loads bars with the triggers off, and writes the note together with them or after them. */
async function load(
  actor: Actor,
  { bars, note }: { bars: string; note: string },
  notedAfter: boolean,
): Promise<void> {
  if (!notedAfter) return await actor.exec(bars + note);
  if (actor.inTransaction) {
    await actor.exec(bars);
    return await actor.exec(note);
  }
  try {
    await actor.exec(bars);
  } finally {
    // A killed session may have committed the bars, so the caller has to write the note in any case.
    await repeatWhileKilled(() => actor.exec(note));
  }
}

async function repeatWhileKilled(act: () => Promise<void>): Promise<void> {
  while (true) {
    try {
      return await act();
    } catch (error) {
      if (!wasKilled(error)) throw error;
    }
  }
}

/** In the order of agg_maintain. */
async function remove(actor: Actor, clock: Date): Promise<Outcome> {
  const [row] = await actor.query<{ removed: number }>("select agg.remove_old_bars(100000) as removed");
  await actor.query("select agg.raise_floors($1)", [clock]);
  await actor.query("select public.sync_agg_state_from_registry()");
  return { removed: row!.removed };
}

/** Makes the notes an hour older and folds them. */
async function fold(actor: Actor): Promise<Outcome> {
  const aged = await actor.query(
    "update agg.change_note set changed_at = changed_at - interval '1 hour' returning note_id",
  );
  await actor.query("select agg.fold_notes()");
  return aged.length > 1 ? { stoppedReason: "folded" } : {};
}

async function runBatch(actor: Actor, op: Extract<Op, { kind: "batch" }>, clock: Date): Promise<Outcome> {
  const [sums] = await actor.query<{ failed: number; bars_corrected: number }>(
    "select b.failed, b.bars_corrected from agg.run_batch(p_limit => $1, p_batch_windows => $2, p_now => $3) as b",
    [op.limit, op.windows, clock],
  );
  if (sums!.failed > 0) await checkFailures(actor);
  return { corrected: sums!.bars_corrected };
}

async function runDue(actor: Actor, op: Extract<Op, { kind: "run" }>, clock: Date, lane: number): Promise<Outcome> {
  const [row] = await actor.query<{ result: { failed: number; bars_corrected: number; stopped_reason: string } }>(
    `select public.agg_run_due(
       p_limit => $1, p_batch_windows => $2, p_now => $3, p_time_budget => $4::interval, p_lane => $5
     ) as result`,
    [op.limit, op.windows, clock, op.budget, lane],
  );
  const { failed, bars_corrected, stopped_reason } = row!.result;
  if (failed > 0) await checkFailures(actor);
  return { corrected: bars_corrected, stoppedReason: stopped_reason };
}

/** Rejects when a task failed for another reason than a lock that was not granted. */
async function checkFailures(actor: Actor): Promise<void> {
  const errors = await actor.query<{ error: string }>(
    `select s.last_error as error from public.data_agg_state as s where s.last_error is not null and s.fail_streak > 0
     union all
     select k.error from agg.correction as k where k.error is not null`,
  );
  const codes = new Set(errors.map(({ error }) => /\((\w{5})\)$/.exec(error)?.[1]));
  for (const code of ["55P03", "40P01", UNIQUE_VIOLATION]) codes.delete(code);
  assert.deepEqual([...codes], [], `tasks failed: ${JSON.stringify(errors)}`);
}

async function work(
  scene: Scene,
  actor: Actor,
  op: Extract<Op, { kind: "claim" | "build" | "finish" }>,
  clock: Date,
): Promise<Outcome> {
  if (op.kind === "claim") {
    const { symbol, timeframe } = op.task;
    const [row] = await actor.query<{ result: { claimed: boolean; claimed_at: string } }>(
      "select public.agg_start($1, $2, $3) as result",
      [symbol, timeframe, clock],
    );
    if (row!.result.claimed) {
      scene.claims.set(op.slot, { symbol, timeframe, claimedAt: row!.result.claimed_at, newCursor: null });
    }
    return {};
  }

  const claim = scene.claims.get(op.slot);
  if (!claim) return {};
  if (op.kind === "build") {
    const [row] = await actor.query<{ result: { new_cursor: string } }>(
      "select public.catchup_aggregation_range($1, $2, null, $3, p_until_utc => $4) as result",
      [claim.symbol, claim.timeframe, op.windows, clock],
    );
    claim.newCursor = row!.result.new_cursor;
    return {};
  }
  scene.claims.delete(op.slot);
  await actor.query(
    `select public.agg_finish($1, $2, $3, $4::timestamptz,
       p_fail_kind => $5, p_error => 'lost its network (08006)', p_now => $6, p_claimed_at => $7::timestamptz)`,
    [
      claim.symbol,
      claim.timeframe,
      op.succeeds,
      op.succeeds ? claim.newCursor : null,
      op.succeeds ? null : "transient",
      clock,
      op.byClaim ? claim.claimedAt : null,
    ],
  );
  return {};
}

async function setMetadata(actor: Actor, symbol: string, path: string[], value: unknown): Promise<void> {
  await actor.exec(
    `update public.core_asset_registry_all
       set metadata = jsonb_set(metadata, '{agg,${path}}', '${JSON.stringify(value)}')
       where canonical_symbol = '${symbol}'`,
  );
}

/** Changes or deletes a decided bar, past what refuses bars of a computed series, while it holds the task, and asks for its repair. */
async function tamper(actor: Actor, op: Extract<Op, { kind: "tamper" }>, clock: Date): Promise<void> {
  const { symbol, timeframe } = op.task;
  if (timeframe === "1m" && !symbol.startsWith(BASKET)) return;
  const table = timeframe === "1m" ? "public.data_bars" : "public.derived_data_bars";
  const change = op.how === "delete" ? `delete from ${table}` : `update ${table} set close = open, vol = 7`;
  await actor.exec(`do $tamper$
    declare
      v_task constant public.data_agg_state := agg.lock_task('${symbol}', '${timeframe}');
    begin
      if v_task is null then
        return;
      end if;
      perform set_config('session_replication_role', 'replica', true);
      ${change}
      where canonical_symbol = v_task.canonical_symbol and timeframe = v_task.timeframe and ts_utc = (
        select max(d.ts_utc) from ${table} as d
        where d.canonical_symbol = v_task.canonical_symbol and d.timeframe = v_task.timeframe
          and d.ts_utc <= least(v_task.last_agg_bar_ts_utc, '${clock.toISOString()}'::timestamptz - interval '${op.back} minutes')
      );
      perform set_config('session_replication_role', 'origin', true);
      perform public.agg_repair(v_task.canonical_symbol, v_task.timeframe);
    end
  $tamper$`);
}
