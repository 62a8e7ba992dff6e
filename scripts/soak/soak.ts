import { MINUTE, OPTIONAL } from "../../model/aggregator.ts";
import { ORIGIN } from "../../model/histories.ts";
import type { Database } from "../lib/database.ts";
import { Actor } from "../lib/play/actors.ts";
import { checkConverged } from "../lib/play/compare.ts";
import { perform, type Scene } from "../lib/play/perform.ts";
import { checkRebuild, settle } from "../lib/play/settle.ts";
import { addWorld, clearTables, prepareStage } from "../lib/play/stage.ts";
import { randomOps, soakLanes } from "./lanes.ts";
import { describeProgress } from "./progress.ts";

export interface SoakOptions {
  /** How long writers and dispatchers work, in minutes of wall clock. */
  minutes: number;
  /** Seeds what every session does. How their work interleaves depends on the machine. */
  seed: number;
  dispatchers: number;
}

/** Groups of three assets and a basket of them. */
const GROUPS = 6;

/** The simulated clock: a day in six minutes. */
const SPEED = 240;

/** Simulated time before the first operation, so that minutes can be late. */
const HEAD_START = 600 * MINUTE;

/** `schedule_jobs` takes no more. */
const MOST_LANES = 4;

const PROGRESS_MS = 10_000;

/**
 * Lets writers, dispatchers, outside workers and a troublemaker work side by side in the migrated, empty database at
 * `url`. Then runs the dispatcher until it is idle. Rejects with the first differences when bars or cursors are wrong, or
 * when work is left.
 */
export async function soak(
  db: Database,
  url: string,
  { minutes, seed, dispatchers }: SoakOptions,
  print: (line: string) => void,
): Promise<void> {
  await prepareStage(db, "100ms");
  await clearTables(db);
  const suffixes = Array.from({ length: GROUPS }, (_, index) => String(index));
  for (const [index, suffix] of suffixes.entries()) {
    const version = index % 2 === 0 ? 1 : 2;
    const components: ("A" | "B" | "C")[] = index % 3 === 0 ? ["B", "C"] : ["A", "B", "C"];
    await addWorld(db, {
      startMinute: 0,
      basket: { components, version },
      bareComponent: false,
      optional: [...OPTIONAL],
      thin: index % 3 === 1 ? "A" : null,
      sparse: index % 2 === 1 ? "A" : null,
      market: index % 3 === 2 ? { symbol: "C", name: index % 2 === 0 ? "kolkata" : "newYork" } : null,
      endsLater: true,
    }, suffix);
  }

  await db.query("select public.schedule_jobs(p_lanes => $1)", [Math.min(dispatchers, MOST_LANES)]);
  const lanes = soakLanes(dispatchers);
  const scene: Scene = {
    db,
    actors: await Promise.all(lanes.map(() => Actor.start(url))),
    claims: new Map(),
    startMinutes: new Map(),
    startMinute: 0,
    lanes: Math.min(dispatchers, MOST_LANES),
  };
  const started = performance.now();
  const clock = () => ORIGIN + HEAD_START + Math.round((performance.now() - started) * SPEED);
  let operations = 0;
  let isOver = false;
  const reportUntilOver = setInterval(async () => print(await describeProgress(db, clock(), operations)), PROGRESS_MS);
  const work = async (session: number) => {
    const { ops, pauseMs } = lanes[session]!;
    for (const op of randomOps(ops, suffixes, seed + session)) {
      if (isOver || performance.now() - started > minutes * MINUTE) break;
      await perform(scene, session, op, clock());
      operations++;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    if (scene.actors[session]!.inTransaction) await perform(scene, session, { kind: "commit" }, clock());
  };

  try {
    await Promise.all(lanes.map((_, session) => work(session)));
  } finally {
    isOver = true;
    clearInterval(reportUntilOver);
  }
  const settled = await settle(db, clock(), true);
  print(await describeProgress(db, settled, operations));
  await checkConverged(db, settled);
  await checkRebuild(db, settled);
  for (const actor of scene.actors) await actor.close();
}
