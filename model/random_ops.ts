import fc from "fast-check";
import { type DerivedTimeframe, OPTIONAL } from "./aggregator.ts";
import { type BareKind, type Op, SESSIONS, type TaskName } from "./ops.ts";
import { type AnySymbol, BASKET, type Symbol, SYMBOLS } from "./world.ts";

export const session = fc.nat(SESSIONS - 1);
const symbol = fc.constantFrom(...SYMBOLS);
export const anySymbol = fc.constantFrom(...SYMBOLS, BASKET);
const back = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: -3, max: 40 }) },
  { weight: 2, arbitrary: fc.integer({ min: 40, max: 480 }) },
);
const task: fc.Arbitrary<TaskName> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      symbol: anySymbol,
      timeframe: fc.constantFrom(
        "5m" as const,
        "5m" as const,
        "5m" as const,
        "1h" as const,
        "1h" as const,
        ...OPTIONAL,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ symbol: fc.constant(BASKET), timeframe: fc.constant("1m" as const) }) },
);

const how = fc.constantFrom("insert" as const, "ignore" as const, "upsert" as const, "upsert" as const);
const symbols = fc.subarray([...SYMBOLS], { minLength: 1 });
export const seed = fc.nat(3);

const single = { back, length: fc.constant(1), density: fc.constant(100), seed };
const some = { back, length: fc.integer({ min: 2, max: 90 }), density: fc.integer({ min: 20, max: 100 }), seed };
/** More rows than a note has minute by minute. */
const many = {
  back: fc.constant(420),
  length: fc.integer({ min: 340, max: 400 }),
  density: fc.constant(100),
  seed,
};

export const write: fc.Arbitrary<Op> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("write" as const), how, symbols, ...single }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("write" as const), how, symbols, ...some }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      how,
      symbols: fc.constant<Symbol[]>([...SYMBOLS]),
      ...many,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("load" as const), notedAfter: fc.boolean(), symbols, ...some }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("edit" as const),
      symbol,
      back,
      length: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 90 })),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("delete" as const),
      symbol,
      back,
      length: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 90 }), fc.constant(600)),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("move" as const),
      symbol,
      to: symbol,
      back,
      length: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 30 })),
      // Mostly to where there are no bars yet: two bars of one minute are refused.
      minutes: fc.constantFrom(0, 1, 60, 600, 600, 1500, -600, -1500),
    }),
  },
);

const limit = fc.constantFrom(1, 2, 1000);
const windows = fc.constantFrom(1, 5, 40, 100_000);
export const dispatch: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("batch" as const), limit, windows }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("run" as const),
      limit: fc.constantFrom(2, 1000),
      windows: fc.constantFrom(40, 100_000),
      budget: fc.constantFrom("0" as const, "1 minute" as const, "1 minute" as const),
    }),
  },
);

export const runAll: fc.Arbitrary<Op> = fc.constant({ kind: "run", limit: 1000, windows: 100_000, budget: "1 minute" });

export const slot = fc.nat(1);
export const build = (slot: number): fc.Arbitrary<Op> =>
  fc.record({ kind: fc.constant("build" as const), slot: fc.constant(slot), windows: fc.constantFrom(1, 10, 1000) });
export const finish = (slot: number): fc.Arbitrary<Op> =>
  fc.record({
    kind: fc.constant("finish" as const),
    slot: fc.constant(slot),
    byClaim: fc.boolean(),
    succeeds: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  });
export const claim = (slot: number): fc.Arbitrary<Op> =>
  fc.record({ kind: fc.constant("claim" as const), slot: fc.constant(slot), task });

export const bare = (kind: BareKind): fc.Arbitrary<Op> => fc.constant({ kind });
const killWhen = (atWork: boolean): fc.Arbitrary<Op> =>
  fc.record({ kind: fc.constant("kill" as const), target: session, atWork: fc.constant(atWork) });

export const kill = killWhen(false);

/** Only where sessions are at work at the same instant. */
export const killAtWork = killWhen(true);

export const optionalTimeframes = fc.subarray<DerivedTimeframe>([...OPTIONAL]);

export const backfill: fc.Arbitrary<Op> = fc.record({
  kind: fc.constant("backfill" as const),
  task,
  allTimeframes: fc.boolean(),
  back: fc.constantFrom(0, 0, 90),
});

/** Floors are days: nothing of the last day is removed. */
export const keepOf = (symbol: AnySymbol): fc.Arbitrary<Op> =>
  fc.constantFrom({ "1m": "1 day" }, { "5m": "1 day" }, { "1m": "1 day", "5m": "1 day" }, {
    "1m": "1 day",
    "1h": "2 days",
  })
    .map((keep) => ({ kind: "keep", symbol, keep }));

/** Minutes of days before, which are refused where they are not kept. */
export const longAgo: fc.Arbitrary<Op> = fc.record({
  kind: fc.constant("write" as const),
  how,
  symbols,
  back: fc.integer({ min: 1440, max: 4000 }),
  length: fc.integer({ min: 1, max: 90 }),
  density: fc.constant(100),
  seed,
});

/** What happens rarely. */
export const incident: fc.Arbitrary<Op> = fc.oneof(
  bare("restart"),
  kill,
  fc.record({ kind: fc.constant("thresholds" as const), symbol }).chain((op) =>
    fc.constantFrom({ good: 90, poor: 20 }, { good: 100, poor: 100 }, { good: 80, poor: 60 })
      .map((percents) => ({ ...op, ...percents }))
  ),
  fc.record({ kind: fc.constant("optional" as const), symbol: anySymbol, timeframes: optionalTimeframes }),
  fc.record({
    kind: fc.constant("earlier" as const),
    symbol: anySymbol,
    minutes: fc.constantFrom(10, 90, 600),
  }),
  fc.record({ kind: fc.constant("bootstrap" as const), task }),
  backfill,
  fc.record({
    kind: fc.constant("tamper" as const),
    task,
    back: fc.integer({ min: 0, max: 300 }),
    how: fc.constantFrom("change" as const, "delete" as const),
  }),
);

/** Minutes whose window no dispatcher has decided yet. */
export const freshMinutes: fc.Arbitrary<Op> = fc.record({
  kind: fc.constant("write" as const),
  how,
  symbols,
  back: fc.integer({ min: 0, max: 6 }),
  length: fc.integer({ min: 1, max: 9 }),
  density: fc.constant(100),
  seed,
});
