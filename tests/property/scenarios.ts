import fc from "fast-check";
import { DERIVED, type DerivedTimeframe } from "../../model/aggregator.ts";
import { type AssetSketch, assetSketch, ORIGINS } from "../../model/histories.ts";

/** What a caller does at one instant of the simulated clock. */
export type Action =
  | { kind: "batches"; count: number; limit: number; batchWindows: number }
  | { kind: "run"; limit: number; batchWindows: number }
  | {
    kind: "worker";
    /** Which asset, modulo their number. */
    asset: number;
    timeframe: DerivedTimeframe;
    maxWindows: number;
    ending: "finish" | "transient" | "hard" | "abandon";
  };

/** A random history, and the random calls that work it off. */
export interface Scenario {
  /** Where the histories of its assets begin. */
  origin: number;
  assets: AssetSketch[];
  /** Seconds from the beginning of the history to the first step. */
  clockStart: number;
  /** `advance` is in seconds. */
  steps: { advance: number; action: Action }[];
  last: {
    /** Seconds after the earliest instant at which every task must be due again. */
    advance: number;
    /** Puts the clock to the very instant at which a window of the first asset may be decided. */
    edge: DerivedTimeframe | null;
    by: "batches" | "run" | "worker";
    limit: number;
    batchWindows: number;
  };
  /** Decides in which order rows are inserted. */
  insertSeed: number;
}

const limit = fc.oneof(fc.constantFrom(1, 1000), fc.integer({ min: 1, max: 10 }));
const batchWindows = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(500, 100_000));

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant("batches" as const), count: fc.integer({ min: 1, max: 6 }), limit, batchWindows }),
  fc.record({ kind: fc.constant("run" as const), limit, batchWindows: fc.integer({ min: 30, max: 1000 }) }),
  fc.record({
    kind: fc.constant("worker" as const),
    asset: fc.nat(3),
    timeframe: fc.constantFrom(...DERIVED),
    maxWindows: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(10_000)),
    ending: fc.oneof(
      { weight: 3, arbitrary: fc.constant("finish" as const) },
      { weight: 1, arbitrary: fc.constantFrom("transient" as const, "hard" as const, "abandon" as const) },
    ),
  }),
);

const advance = fc.oneof(
  fc.nat(600),
  fc.integer({ min: 600, max: 7200 }),
  fc.integer({ min: 7200, max: 2 * 86_400 }),
);

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  origin: fc.constantFrom(...ORIGINS),
  assets: fc.array(assetSketch, { minLength: 1, maxLength: 4 }),
  clockStart: fc.integer({ min: -3600, max: 86_400 }),
  steps: fc.array(fc.record({ advance, action }), { maxLength: 7 }),
  last: fc.record({
    advance: fc.oneof(advance, fc.constant(60 * 86_400)),
    edge: fc.constantFrom(...DERIVED, null),
    by: fc.constantFrom("batches" as const, "run" as const, "worker" as const),
    limit,
    batchWindows: fc.constantFrom(40, 300, 100_000),
  }),
  insertSeed: fc.nat(),
});
