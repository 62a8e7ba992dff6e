import fc from "fast-check";
import { type DerivedTimeframe, OPTIONAL } from "../../../model/aggregator.ts";
import { type History, type Op, SESSIONS, type Step } from "../../../model/ops.ts";
import {
  anySymbol,
  backfill,
  bare,
  build,
  claim,
  dispatch,
  finish,
  freshMinutes,
  incident,
  keepOf,
  killAtWork,
  longAgo,
  optionalTimeframes,
  runAll,
  seed,
  session,
  slot,
  write,
} from "../../../model/random_ops.ts";
import { type Symbol, SYMBOLS, type World } from "../../../model/world.ts";

const advance = fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 60, max: 1200 }), fc.constant(3600));

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

/** A dispatcher that does not commit its batch while others write and dispatch. */
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
      fc.oneof(
        bare("commit"),
        bare("commit"),
        bare("rollback"),
        fc.constant({ kind: "kill" as const, target: who, atWork: false }),
      ),
      own,
    ),
    step(dispatch, other),
  );
});

/** Two sessions that write the same bars, of which the second gives up. */
const heldBars = fc.tuple(fc.constantFrom(0, 1, 2), write).chain(([who, bars]) => {
  const own = fc.constant(who);
  const other = fc.constantFrom(...[0, 1, 2].filter((session) => session !== who));
  const same = fc.constant(bars);
  return phrase(
    step(bare("begin"), own),
    step(same, own, fc.constant(1)),
    step(same, other, fc.constant(1)),
    step(fc.oneof(bare("commit"), bare("rollback")), own),
    step(dispatch, other),
  );
});

/** A dispatcher that would build with a snapshot older than a note that another session has read since. */
const oldSnapshot = fc.constantFrom(0, 1, 2).chain((who) => {
  const own = fc.constant(who);
  const other = fc.constantFrom(...[0, 1, 2].filter((session) => session !== who));
  return phrase(
    step(bare("begin with one snapshot"), own),
    step(freshMinutes, other, fc.constant(1)),
    step(dispatch, other, fc.constant(1)),
    step(runAll, own, fc.constantFrom(300, 900)),
    step(bare("commit"), own),
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

const rare: fc.Arbitrary<Op> = fc.oneof(
  { weight: 1, arbitrary: bare("truncate") },
  { weight: 7, arbitrary: incident },
);

/** History that is asked for while bars of it are being written. */
const loaded = phrase(step(write), step(backfill), step(write), step(dispatch), step(write), step(dispatch));

/** Notes that grow old unread. */
const neglect = phrase(step(write), step(write), step(bare("fold")), step(dispatch));

/** Changes to an asset that is switched off, and later on again. */
const switchedOff = anySymbol.chain((symbol) => {
  const turn = (on: boolean) => fc.constant({ kind: "switch" as const, symbol, on });
  return phrase(step(turn(false)), step(write), step(dispatch), step(turn(true)), step(dispatch));
});

/** Timeframes that are switched off, and later on again, with changes meanwhile. */
const withoutTimeframes = fc.tuple(anySymbol, fc.subarray<DerivedTimeframe>([...OPTIONAL], { minLength: 1 }))
  .chain(([symbol, timeframes]) => {
    const want = (timeframes: DerivedTimeframe[]) => fc.constant({ kind: "optional" as const, symbol, timeframes });
    return phrase(
      step(want(timeframes)),
      step(dispatch),
      step(want([])),
      step(write),
      step(dispatch),
      step(want(timeframes)),
      step(dispatch),
    );
  });

/** Bars of days before are removed, others come late there, and what was made of them stays. */
const kept = anySymbol.chain((symbol) =>
  phrase(
    step(keepOf(symbol)),
    step(write),
    step(runAll),
    // Until bars follow, nothing is decided.
    step(freshMinutes, session, fc.integer({ min: 30 * 3600, max: 60 * 3600 })),
    step(runAll),
    step(bare("remove")),
    step(bare("remove")),
    step(fc.oneof(longAgo, write)),
    step(dispatch),
  )
);

const lane = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: write },
    { weight: 8, arbitrary: dispatch },
    { weight: 2, arbitrary: fc.oneof(claim(0), build(0), finish(0)) },
    { weight: 1, arbitrary: killAtWork },
    { weight: 1, arbitrary: rare },
  ),
  { minLength: 1, maxLength: 4 },
);
const sideBySide: fc.Arbitrary<Step[]> = fc.record({
  advance,
  lanes: fc.array(lane, { minLength: 2, maxLength: SESSIONS }),
}).map((step) => [step]);

/** A session that is killed while it works. */
const killedAtWork: fc.Arbitrary<Step[]> = fc.record({
  advance,
  lanes: fc.tuple(
    fc.array(fc.oneof(dispatch, write), { minLength: 3, maxLength: 4 }),
    fc.constant<Op[]>([{ kind: "kill", target: 0, atWork: true }]),
  ),
}).map((step) => [step]);

const turns: { weight: number; arbitrary: fc.Arbitrary<Step[]> }[] = [
  { weight: 6, arbitrary: phrase(step(write), step(dispatch)) },
  { weight: 3, arbitrary: lateCommit },
  { weight: 3, arbitrary: heldBatch },
  { weight: 3, arbitrary: worker },
  { weight: 1, arbitrary: oldSnapshot },
  { weight: 1, arbitrary: heldBars },
  { weight: 4, arbitrary: phrase(step(rare), step(dispatch)) },
  { weight: 2, arbitrary: loaded },
  { weight: 1, arbitrary: neglect },
  { weight: 1, arbitrary: switchedOff },
  { weight: 1, arbitrary: withoutTimeframes },
  { weight: 2, arbitrary: kept },
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

export const world: fc.Arbitrary<World> = fc.record({
  startMinute: fc.constantFrom(0, 30, 125),
  basket: fc.record({
    components: fc.constantFrom<Symbol[]>(["B", "C"], ["A", "B", "C"]),
    version: fc.constantFrom(1 as const, 2 as const),
  }),
  bareComponent: fc.boolean(),
  optional: fc.oneof(fc.constant<DerivedTimeframe[]>([]), optionalTimeframes),
  thin: fc.constantFrom(null, null, ...SYMBOLS),
  sparse: fc.constantFrom(null, null, ...SYMBOLS),
  market: fc.oneof(
    fc.constant(null),
    fc.record({ symbol: fc.constantFrom(...SYMBOLS), name: fc.constantFrom("kolkata" as const, "newYork" as const) }),
  ),
  endsLater: fc.boolean(),
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
export const parallel: fc.Arbitrary<History> = historyOf([
  { weight: 12, arbitrary: sideBySide },
  { weight: 2, arbitrary: killedAtWork },
  ...turns,
]);
