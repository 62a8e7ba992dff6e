import fc from "fast-check";
import type { Op } from "../../model/ops.ts";
import { anySymbol, bare, build, claim, dispatch, finish, incident, runAll, write } from "../../model/random_ops.ts";
import { BASKET, type Symbol, SYMBOLS } from "../../model/world.ts";

/** The minutes of all symbols that have just ended. Sometimes one is missing. */
const feed: fc.Arbitrary<Op> = fc.record({
  kind: fc.constant("write" as const),
  how: fc.constant("upsert" as const),
  symbols: fc.constant<Symbol[]>([...SYMBOLS]),
  back: fc.constant(20),
  length: fc.constant(20),
  density: fc.constantFrom(100, 97, 80),
  seed: fc.nat(3),
});

const switching: fc.Arbitrary<Op> = fc.record({
  kind: fc.constant("switch" as const),
  symbol: anySymbol,
  on: fc.oneof({ weight: 1, arbitrary: fc.constant(false) }, { weight: 2, arbitrary: fc.constant(true) }),
});

const dispatcher = fc.oneof({ weight: 4, arbitrary: dispatch }, { weight: 1, arbitrary: runAll });
const writer = fc.oneof(
  { weight: 4, arbitrary: feed },
  { weight: 8, arbitrary: write },
  { weight: 1, arbitrary: bare("begin") },
  { weight: 2, arbitrary: fc.oneof(bare("commit"), bare("commit"), bare("rollback")) },
);
const worker = (slot: number) => fc.oneof(claim(slot), build(slot), build(slot), finish(slot));
const troublemaker = fc.oneof({ weight: 2, arbitrary: incident }, { weight: 1, arbitrary: switching });

export interface Lane {
  name: string;
  ops: fc.Arbitrary<Op>;
  pauseMs: number;
}

/** What each session does again and again. The last one may kill the first three. */
export function soakLanes(dispatchers: number): Lane[] {
  return [
    ...Array.from(
      { length: dispatchers },
      (_, index) => ({ name: "dispatcher", ops: dispatcher, pauseMs: 20 * index }),
    ),
    { name: "writer", ops: writer, pauseMs: 5 },
    { name: "writer", ops: writer, pauseMs: 5 },
    { name: "worker", ops: worker(0), pauseMs: 40 },
    { name: "worker", ops: worker(1), pauseMs: 40 },
    { name: "troublemaker", ops: troublemaker, pauseMs: 1000 },
  ];
}

/** Endless operations of a lane, spread over groups of assets with these suffixes. The same seed gives the same. */
export function* randomOps(ops: fc.Arbitrary<Op>, suffixes: readonly string[], seed: number): Generator<Op> {
  const inGroup = fc.tuple(ops, fc.constantFrom(...suffixes)).map(([op, suffix]) => renameAssets(op, suffix));
  for (let chunk = seed;; chunk = (chunk * 31 + 7) >>> 0) yield* fc.sample(inGroup, { numRuns: 200, seed: chunk | 0 });
}

function renameAssets(op: Op, suffix: string): Op {
  const names: unknown[] = [...SYMBOLS, BASKET];
  return JSON.parse(JSON.stringify(op), (_key, value) => names.includes(value) ? value + suffix : value);
}
