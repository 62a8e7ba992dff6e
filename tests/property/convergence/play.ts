import { MINUTE } from "../../../model/aggregator.ts";
import { ORIGIN } from "../../../model/histories.ts";
import { type History, type Op, SESSIONS, type Step } from "../../../model/ops.ts";
import type { Database } from "../../../scripts/lib/database.ts";
import { Actor } from "../../../scripts/lib/play/actors.ts";
import { checkConverged } from "../../../scripts/lib/play/compare.ts";
import { perform, type Scene } from "../../../scripts/lib/play/perform.ts";
import { checkRebuild, settle } from "../../../scripts/lib/play/settle.ts";
import { prepareStage, resetWorld } from "../../../scripts/lib/play/stage.ts";
import { type Case, Observer } from "./observer.ts";

/** A database with the sessions that play in it, one history after the other. */
export class Stage {
  readonly #db: Database;
  readonly #actors: Actor[];

  private constructor(db: Database, actors: Actor[]) {
    this.#db = db;
    this.#actors = actors;
  }

  /** Takes a migrated database at `url` for itself; `db` is a session on it. `lockTimeout` is an interval. */
  static async open(url: string, db: Database, lockTimeout: string): Promise<Stage> {
    await prepareStage(db, lockTimeout);
    return new Stage(db, await Promise.all(Array.from({ length: SESSIONS }, () => Actor.start(url))));
  }

  /**
   * Plays a history from an empty database on, ends what is open, lets the dispatcher get idle, and compares. Counts in
   * `seen` which cases it met.
   */
  async play({ world, clockMinute, steps }: History, seen: Map<Case, number>): Promise<void> {
    await resetWorld(this.#db, world);
    const scene: Scene = {
      db: this.#db,
      actors: this.#actors,
      claims: new Map(),
      startMinutes: new Map(),
      startMinute: world.startMinute,
    };
    const observer = new Observer(this.#db, seen);
    let now = ORIGIN + clockMinute * MINUTE;
    try {
      for (const step of steps) {
        now += step.advance * 1000;
        await this.#take(scene, observer, step, now);
      }
      for (const actor of this.#actors) if (actor.inTransaction) await actor.end("commit");
    } finally {
      for (const actor of this.#actors) if (actor.inTransaction) await actor.end("rollback");
    }
    const settled = await settle(this.#db, now, world.endsLater);
    await observer.checkFrozen();
    await checkConverged(this.#db, settled);
    await checkRebuild(this.#db, settled);
  }

  async #take(scene: Scene, observer: Observer, step: Step, now: number): Promise<void> {
    // The lanes of a step are less than a second apart.
    const act = async (session: number, op: Op, now: number) => {
      const outcome = await perform(scene, session, op, now);
      await observer.observe(session, op, outcome, this.#actors[session]!.inTransaction, now + 1000);
    };
    if ("op" in step) return await act(step.session, step.op, now);

    const ends = await Promise.allSettled(step.lanes.map(async (ops, session) => {
      // No two claims at the same instant: in real time there are none either.
      for (const [index, op] of ops.entries()) await act(session, op, now + index * 10 + session);
    }));
    const failure = ends.find((end) => end.status === "rejected");
    if (failure) throw failure.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const actor of this.#actors) await actor.close();
  }
}
