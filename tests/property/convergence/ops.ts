import fc from "fast-check";
import type { Timeframe } from "../aggregator.ts";
import { BASKET, type Symbol, SYMBOLS, type World } from "./world.ts";

/** Minutes are counted back from the clock: 10 is the minute that began ten minutes ago. */
export interface Span {
  back: number;
  length: number;
}

/** Which task, whether it exists or not. */
export interface TaskName {
  symbol: Symbol | typeof BASKET;
  timeframe: Timeframe;
}

/** What a session does; see `perform` for how. */
export type Op =
  | { kind: "begin" | "commit" | "rollback" | "restart" | "truncate" | "fold" }
  | WriteOp
  | { kind: "batch"; limit: number; windows: number }
  | { kind: "run"; limit: number; windows: number; budget: "0" | "1 minute" }
  | { kind: "claim"; slot: number; task: TaskName }
  | { kind: "build"; slot: number; windows: number }
  | { kind: "finish"; slot: number; byClaim: boolean; succeeds: boolean }
  | { kind: "kill"; target: number }
  | { kind: "switch"; symbol: TaskName["symbol"]; on: boolean }
  | { kind: "thresholds"; symbol: Symbol; good: number; poor: number }
  | { kind: "earlier"; symbol: TaskName["symbol"]; minutes: number }
  | { kind: "bootstrap"; task: TaskName }
  | { kind: "tamper"; task: TaskName; back: number; how: "change" | "delete" };

export type WriteOp =
  | Bars & { kind: "write"; how: "insert" | "ignore" | "upsert" }
  /** With the triggers off, noted by hand in the same transaction or after it. */
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

const session = fc.nat(SESSIONS - 1);
const symbol = fc.constantFrom(...SYMBOLS);
const anySymbol = fc.constantFrom(...SYMBOLS, BASKET);
const back = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: -3, max: 40 }) },
  { weight: 2, arbitrary: fc.integer({ min: 40, max: 480 }) },
);
const advance = fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 60, max: 1200 }), fc.constant(3600));

const task: fc.Arbitrary<TaskName> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      symbol: anySymbol,
      timeframe: fc.constantFrom("5m" as const, "5m" as const, "1h" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ symbol: fc.constant(BASKET), timeframe: fc.constant("1m" as const) }) },
);

const how = fc.constantFrom("insert" as const, "ignore" as const, "upsert" as const, "upsert" as const);
const symbols = fc.subarray([...SYMBOLS], { minLength: 1 });
const seed = fc.nat(3);

const single = { back, length: fc.constant(1), density: fc.constant(100), seed };
const some = { back, length: fc.integer({ min: 2, max: 90 }), density: fc.integer({ min: 20, max: 100 }), seed };
/** More rows than a note has minute by minute. */
const many = {
  back: fc.constant(420),
  length: fc.integer({ min: 340, max: 400 }),
  density: fc.constant(100),
  seed,
};

const write: fc.Arbitrary<Op> = fc.oneof(
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
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("move" as const),
      symbol,
      to: symbol,
      back,
      length: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 30 })),
      minutes: fc.constantFrom(0, 1, 7, 60, 600, -600),
    }),
  },
);

const limit = fc.constantFrom(1, 2, 1000);
const windows = fc.constantFrom(1, 5, 40, 100_000);
const dispatch: fc.Arbitrary<Op> = fc.oneof(
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

const runAll: fc.Arbitrary<Op> = fc.constant({ kind: "run", limit: 1000, windows: 100_000, budget: "1 minute" });

const slot = fc.nat(1);
const build = (slot: number): fc.Arbitrary<Op> =>
  fc.record({ kind: fc.constant("build" as const), slot: fc.constant(slot), windows: fc.constantFrom(1, 10, 1000) });
const finish = (slot: number): fc.Arbitrary<Op> =>
  fc.record({
    kind: fc.constant("finish" as const),
    slot: fc.constant(slot),
    byClaim: fc.boolean(),
    succeeds: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  });
const claim = (slot: number): fc.Arbitrary<Op> =>
  fc.record({ kind: fc.constant("claim" as const), slot: fc.constant(slot), task });

const bare = <Kind extends "begin" | "commit" | "rollback" | "restart" | "truncate" | "fold">(kind: Kind) =>
  fc.constant({ kind });
const kill: fc.Arbitrary<Op> = fc.record({ kind: fc.constant("kill" as const), target: session });

const rare: fc.Arbitrary<Op> = fc.oneof(
  bare("truncate"),
  bare("restart"),
  kill,
  fc.record({ kind: fc.constant("thresholds" as const), symbol }).chain((op) =>
    fc.constantFrom({ good: 90, poor: 20 }, { good: 100, poor: 100 }, { good: 80, poor: 60 })
      .map((percents) => ({ ...op, ...percents }))
  ),
  fc.record({
    kind: fc.constant("earlier" as const),
    symbol: anySymbol,
    minutes: fc.constantFrom(10, 90, 600),
  }),
  fc.record({ kind: fc.constant("bootstrap" as const), task }),
  fc.record({
    kind: fc.constant("tamper" as const),
    task,
    back: fc.integer({ min: 0, max: 300 }),
    how: fc.constantFrom("change" as const, "delete" as const),
  }),
);

const step = (
  op: fc.Arbitrary<Op>,
  who: fc.Arbitrary<number> = session,
  after: fc.Arbitrary<number> = advance,
): fc.Arbitrary<Step> => fc.record({ advance: after, session: who, op });

/** Steps that belong together, of which shrinking may leave out any. */
function phrase(...steps: fc.Arbitrary<Step>[]): fc.Arbitrary<Step[]> {
  return fc.tuple(...steps.map((step) => fc.option(step, { freq: 15 })))
    .map((steps) => steps.filter((step) => step !== null));
}

/** Minutes whose window no dispatcher has decided yet. */
const freshMinutes: fc.Arbitrary<Op> = fc.record({
  kind: fc.constant("write" as const),
  how,
  symbols,
  back: fc.integer({ min: 0, max: 6 }),
  length: fc.integer({ min: 1, max: 9 }),
  density: fc.constant(100),
  seed,
});

/** Writes that are committed only after dispatchers have gone on. */
const lateCommit = fc.constantFrom(0, 1, 2).chain((who) => {
  const own = fc.constant(who);
  const other = fc.constantFrom(...[0, 1, 2].filter((session) => session !== who));
  return phrase(
    step(bare("begin"), own),
    step(fc.oneof(freshMinutes, write), own),
    step(fc.oneof(runAll, dispatch), other, fc.constantFrom(1, 900)),
    step(fc.oneof(dispatch, write), other),
    step(fc.oneof(bare("commit"), bare("commit"), bare("rollback")), own),
    step(dispatch, other),
  );
});

/** A dispatcher that holds what it has done while others write and dispatch. */
const heldBatch = fc.constantFrom(0, 1, 2).chain((who) => {
  const own = fc.constant(who);
  const other = fc.constantFrom(...[0, 1, 2].filter((session) => session !== who));
  return phrase(
    step(write, other),
    step(bare("begin"), own),
    step(dispatch, own),
    step(write, other),
    step(dispatch, other),
    step(
      fc.oneof(bare("commit"), bare("commit"), bare("rollback"), fc.constant({ kind: "kill" as const, target: who })),
      own,
    ),
    step(dispatch, other),
  );
});

/** A worker outside the database, with others at work between its calls. */
const worker = slot.chain((slot) =>
  phrase(
    step(claim(slot)),
    step(fc.oneof(write, dispatch)),
    step(build(slot)),
    step(write),
    step(dispatch),
    step(finish(slot)),
  )
);

/** Notes that grow old unread. */
const neglect = phrase(step(write), step(write), step(bare("fold")), step(dispatch));

/** Changes to an asset that is switched off, and later on again. */
const switchedOff = anySymbol.chain((symbol) => {
  const turn = (on: boolean) => fc.constant({ kind: "switch" as const, symbol, on });
  return phrase(step(turn(false)), step(write), step(dispatch), step(turn(true)), step(dispatch));
});

const lane = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: write },
    { weight: 8, arbitrary: dispatch },
    { weight: 2, arbitrary: fc.oneof(claim(0), build(0), finish(0)) },
    { weight: 1, arbitrary: kill },
    { weight: 1, arbitrary: rare },
  ),
  { minLength: 1, maxLength: 4 },
);
const sideBySide: fc.Arbitrary<Step[]> = fc.record({
  advance,
  lanes: fc.array(lane, { minLength: 2, maxLength: SESSIONS }),
}).map((step) => [step]);

const turns: { weight: number; arbitrary: fc.Arbitrary<Step[]> }[] = [
  { weight: 6, arbitrary: phrase(step(write), step(dispatch)) },
  { weight: 3, arbitrary: lateCommit },
  { weight: 3, arbitrary: heldBatch },
  { weight: 3, arbitrary: worker },
  { weight: 4, arbitrary: phrase(step(rare), step(dispatch)) },
  { weight: 1, arbitrary: neglect },
  { weight: 1, arbitrary: switchedOff },
];

/** What every history begins with: bars enough to have hours. */
const start: fc.Arbitrary<Step[]> = phrase(
  step(fc.record({
    kind: fc.constant("write" as const),
    how: fc.constant("upsert" as const),
    symbols: fc.constant<Symbol[]>([...SYMBOLS]),
    back: fc.integer({ min: 60, max: 480 }),
    length: fc.integer({ min: 30, max: 300 }),
    density: fc.integer({ min: 60, max: 100 }),
    seed,
  })),
  step(dispatch),
);

const world: fc.Arbitrary<World> = fc.record({
  startMinute: fc.constantFrom(0, 30, 125),
  basket: fc.record({
    components: fc.constantFrom<Symbol[]>(["B", "C"], ["A", "B", "C"]),
    version: fc.constantFrom(1 as const, 2 as const),
  }),
  bareComponent: fc.boolean(),
});

const historyOf = (phrases: { weight: number; arbitrary: fc.Arbitrary<Step[]> }[]): fc.Arbitrary<History> =>
  fc.record({
    world,
    clockMinute: fc.integer({ min: 300, max: 600 }),
    steps: fc.tuple(start, fc.array(fc.oneof(...phrases), { minLength: 1, maxLength: 5 }))
      .map(([first, rest]) => [...first, ...rest.flat()]),
  });

/** Histories whose sessions take turns: the same history always goes the same way. */
export const turnTaking: fc.Arbitrary<History> = historyOf(turns);

/** Histories with sessions at work at the same instant. */
export const parallel: fc.Arbitrary<History> = historyOf([{ weight: 12, arbitrary: sideBySide }, ...turns]);
