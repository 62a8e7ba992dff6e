import type { DerivedTimeframe, Timeframe } from "./aggregator.ts";
import type { AnySymbol, Symbol, World } from "./world.ts";

/** Minutes are counted back from the clock: 10 is the minute that began ten minutes ago. */
export interface Span {
  back: number;
  length: number;
}

/** Which task, whether it exists or not. */
export interface TaskName {
  symbol: AnySymbol;
  timeframe: Timeframe;
}

export type BareKind =
  | "begin"
  | "begin with one snapshot"
  | "commit"
  | "rollback"
  | "restart"
  | "truncate"
  | "fold"
  /** What agg_maintain does for `metadata.agg.keep`. */
  | "remove";

/** What a session does; see `perform` for how. */
export type Op =
  | { kind: BareKind }
  | WriteOp
  | { kind: "batch"; limit: number; windows: number }
  | { kind: "run"; limit: number; windows: number; budget: "0" | "1 minute" }
  | { kind: "claim"; slot: number; task: TaskName }
  | { kind: "build"; slot: number; windows: number }
  | { kind: "finish"; slot: number; byClaim: boolean; succeeds: boolean }
  /** `atWork`: waits a moment for a statement of the target to be under way. */
  | { kind: "kill"; target: number; atWork: boolean }
  | { kind: "switch"; symbol: AnySymbol; on: boolean }
  | { kind: "optional"; symbol: AnySymbol; timeframes: DerivedTimeframe[] }
  | { kind: "keep"; symbol: AnySymbol; keep: Partial<Record<Timeframe, string>> }
  | { kind: "thresholds"; symbol: Symbol; good: number; poor: number }
  | { kind: "earlier"; symbol: AnySymbol; minutes: number }
  | { kind: "bootstrap"; task: TaskName }
  /** Up to the minute `back`, from the start on. */
  | { kind: "backfill"; task: TaskName; allTimeframes: boolean; back: number }
  | { kind: "tamper"; task: TaskName; back: number; how: "change" | "delete" };

export type WriteOp =
  | Bars & { kind: "write"; how: "insert" | "ignore" | "upsert" }
  /** With the triggers off. The caller writes the note, in the same transaction or after it. */
  | Bars & { kind: "load"; notedAfter: boolean }
  | Span & { kind: "edit" | "delete"; symbol: Symbol }
  | Span & { kind: "move"; symbol: Symbol; to: Symbol; minutes: number };

export interface Bars extends Span {
  symbols: Symbol[];
  /** Percent of the minutes that have a bar. */
  density: number;
  /** The same seed makes the same bars. */
  seed: number;
}

/** `advance`: seconds by which the clock goes on before. `session`: who does it. */
export type Step =
  | { advance: number; session: number; op: Op }
  /** A lane for each session, all at once. */
  | { advance: number; lanes: Op[][] };

export interface History {
  world: World;
  /** Minutes from the start of the data to the first step. */
  clockMinute: number;
  steps: Step[];
}

export const SESSIONS = 3;
