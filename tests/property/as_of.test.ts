import assert from "node:assert/strict";
import fc from "fast-check";
import { MINUTE } from "../../model/aggregator.ts";
import { ORIGIN } from "../../model/histories.ts";
import type { Op } from "../../model/ops.ts";
import { bare, build, claim, dispatch, finish, incident, runAll, write } from "../../model/random_ops.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { Actor } from "../../scripts/lib/play/actors.ts";
import { perform, type Scene } from "../../scripts/lib/play/perform.ts";
import { prepareStage, resetWorld } from "../../scripts/lib/play/stage.ts";
import { checkProperty } from "../support/check_property.ts";
import { openEngine } from "../support/engine.ts";
import { world } from "./convergence/random_histories.ts";

/** A writer other than the builder changes, deletes or moves some of the longer bars. */
interface Hand {
  kind: "hand";
  how: "change" | "delete" | "move";
  count: number;
  seed: number;
}

const hand: fc.Arbitrary<Hand> = fc.record({
  kind: fc.constant("hand" as const),
  how: fc.constantFrom("change" as const, "delete" as const, "move" as const),
  count: fc.integer({ min: 1, max: 20 }),
  seed: fc.nat(1000),
});

/** What one session does, each in a transaction of its own. Tampering would go past the triggers. */
const act: fc.Arbitrary<Op | Hand> = fc.oneof(
  { weight: 6, arbitrary: write },
  { weight: 4, arbitrary: dispatch },
  { weight: 4, arbitrary: runAll },
  { weight: 2, arbitrary: hand },
  { weight: 2, arbitrary: fc.oneof(claim(0), build(0), finish(0)) },
  { weight: 2, arbitrary: incident.filter(({ kind }) => kind !== "tamper" && kind !== "kill" && kind !== "restart") },
  { weight: 1, arbitrary: bare("truncate") },
);

const steps = fc.array(fc.record({ advance: fc.integer({ min: 1, max: 1200 }), act }), { minLength: 4, maxLength: 14 });

/** Everything that get_bars and agg_changes say of longer bars, at one instant of the history. */
interface Seen {
  at: string;
  /** By symbol, timeframe and start. */
  bars: Map<string, Record<string, unknown>>;
  latest: string[];
  filled: string[];
}

const CASES = [
  "a bar changed",
  "a bar went",
  "a bar came late",
  "a bar was deleted by hand",
  "the past differed",
] as const;

/** From so many histories on every case must come up. */
const LONG_RUN = 40;

Deno.test("get_bars with p_as_of says what it said at that time, and agg_changes what changed since", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await prepareStage(db, "5s");
  const actor = await Actor.start(engine.url);
  const met = new Set<typeof CASES[number]>();
  try {
    const runs = await checkProperty(
      20,
      [world, fc.integer({ min: 300, max: 600 }), steps],
      async (world, minute, steps) => {
        await resetWorld(db, world);
        const scene: Scene = {
          db,
          actors: [actor],
          claims: new Map(),
          startMinutes: new Map(),
          startMinute: world.startMinute,
        };
        let now = ORIGIN + minute * MINUTE;
        const history: Seen[] = [];
        for (const { advance, act } of [{ advance: 0, act: START }, { advance: 0, act: RUN }, ...steps]) {
          now += advance * 1000;
          if (act.kind === "hand") await db.exec(handStatement(act));
          else await perform(scene, 0, act, now);
          history.push(await look(db));
        }
        for (const seen of history) {
          const past = await look(db, seen.at);
          assert.deepEqual([...past.bars].sort(), [...seen.bars].sort(), "all bars");
          assert.deepEqual(past.latest, seen.latest, "the latest");
          assert.deepEqual(past.filled, seen.filled, "filled");
          if (past.bars.size > 0 && JSON.stringify([...past.bars]) !== JSON.stringify([...history.at(-1)!.bars])) {
            met.add("the past differed");
          }
        }
        for (const [index, seen] of history.entries()) {
          if (index > 0) await checkChanges(db, history[index - 1]!, seen, met);
        }
      },
    );
    if (runs >= LONG_RUN) assert.deepEqual(CASES.filter((name) => !met.has(name)), [], "cases that no history met");
  } finally {
    await actor.close();
  }
});

const START: Op = {
  kind: "write",
  how: "upsert",
  symbols: ["A", "B", "C"],
  back: 280,
  length: 270,
  density: 90,
  seed: 1,
};
const RUN: Op = { kind: "run", limit: 1000, windows: 100_000, budget: "1 minute" };

const TIMEFRAMES = ["5m", "15m", "30m", "1h", "4h", "1d", "1w"];

/** What get_bars says now; with `at`, what it says of that time. */
async function look(db: Database, at?: string): Promise<Seen> {
  const [clock] = await db.query<{ at: string }>("select clock_timestamp()::text as at");
  const read = async (options: string) =>
    (await db.query<{ bar: Record<string, unknown> }>(
      `select to_jsonb(b) as bar
       from unnest($1::text[]) as t (timeframe)
       cross join lateral public.get_bars(
         array['A', 'B', 'C', 'X'], t.timeframe, p_as_of => $2::text::timestamptz, ${options}
       ) as b`,
      // Filled windows of now reach further than those of a time: both are asked for with one.
      [TIMEFRAMES, at ?? (options.includes("p_fill") ? clock!.at : null)],
    )).map(({ bar }) => bar);
  const all = await read("p_from => '1900-01-01', p_limit => null");
  return {
    at: clock!.at,
    bars: new Map(all.map((bar) => [`${bar["canonical_symbol"]} ${bar["timeframe"]} ${bar["ts_utc"]}`, bar])),
    latest: (await read("p_limit => 3")).map((bar) => JSON.stringify(bar)),
    filled: (await read("p_limit => 30, p_fill => true")).map((bar) => JSON.stringify(bar)),
  };
}

const FIELDS = [
  ...[
    "open",
    "high",
    "low",
    "close",
    "vol",
    "vwap",
    "trade_count",
    "quality_score",
    "covered_minutes",
    "expected_minutes",
  ],
  "is_partial",
];

function fieldsOf(bar: Record<string, unknown> | undefined): Record<string, unknown> | null {
  return bar === undefined ? null : Object.fromEntries(FIELDS.map((field) => [field, bar[field]]));
}

/** Each bar that differs between two looks, one transaction apart, is listed with both; but for those that were built first. */
async function checkChanges(db: Database, before: Seen, after: Seen, met: Set<typeof CASES[number]>): Promise<void> {
  const changes = await db.query<Record<"key" | "reason", string> & Record<"before" | "after", unknown>>(
    `select c.canonical_symbol || ' ' || c.timeframe || ' ' || (to_jsonb(c.ts_utc) #>> '{}') as key, c.reason, c.before, c.after
     from public.agg_changes($1::text::timestamptz, $2::text::timestamptz, p_limit => null) as c`,
    [before.at, after.at],
  );
  const listed = new Map(changes.map((change) => [change.key, change]));
  assert.equal(listed.size, changes.length, "a change a bar");
  for (const { key, reason, before: was, after: is } of changes) {
    assert.deepEqual([was, is], [fieldsOf(before.bars.get(key)), fieldsOf(after.bars.get(key))], key);
    met.add(was === null ? "a bar came late" : is === null ? "a bar went" : "a bar changed");
    if (reason === "deleted") met.add("a bar was deleted by hand");
  }
  for (const [key, bar] of before.bars) {
    const now = after.bars.get(key);
    if (JSON.stringify(fieldsOf(bar)) !== JSON.stringify(fieldsOf(now))) {
      assert.ok(listed.has(key), `${key} is not listed`);
    }
  }
}

function handStatement({ how, count, seed }: Hand): string {
  const some = `(d.canonical_symbol, d.timeframe, d.ts_utc) in (
    select b.canonical_symbol, b.timeframe, b.ts_utc from public.derived_data_bars as b
    order by md5(b.canonical_symbol || b.timeframe || b.ts_utc || '${seed}') limit ${count}
  )`;
  if (how === "delete") return `delete from public.derived_data_bars as d where ${some}`;
  if (how === "change") return `update public.derived_data_bars as d set close = d.open, vol = 7 where ${some}`;
  return `update public.derived_data_bars as d set ts_utc = d.ts_utc - interval '100 weeks'
    where ${some} and not exists (
      select from public.derived_data_bars as t
      where t.canonical_symbol = d.canonical_symbol and t.timeframe = d.timeframe and t.ts_utc = d.ts_utc - interval '100 weeks'
    )`;
}
