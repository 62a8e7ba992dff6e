import assert from "node:assert/strict";
import type fc from "fast-check";
import type { History } from "../../../model/ops.ts";
import { checkProperty } from "../../support/check_property.ts";
import { openEngine } from "../../support/engine.ts";
import type { Case } from "./observer.ts";
import { Stage } from "./play.ts";

/** From so many histories on every case must come up, also those that one history in a hundred meets. */
const LONG_RUN = 1000;

/**
 * Plays `count` histories, or as many as the run asks for, in a database of their own. No session waits for a lock longer than
 * `lockTimeout`, such as `50ms`. Rejects with the seed and the shortest history that does not converge; when no history met one
 * of the `usual` cases; and, in a long run, when none met one of the `rare`. A run shorter than `count` may miss cases.
 */
export async function checkHistories(
  count: number,
  histories: fc.Arbitrary<History>,
  lockTimeout: string,
  { usual, rare }: { usual: readonly Case[]; rare: readonly Case[] },
): Promise<void> {
  await using engine = await openEngine();
  await using stage = await Stage.open(engine.url, engine.db, lockTimeout);
  const seen = new Map<Case, number>();
  const runs = await checkProperty(count, [histories], (history) => stage.play(history, seen));
  const cases = [...runs < count ? [] : usual, ...runs < LONG_RUN ? [] : rare];
  assert.deepEqual(cases.filter((name) => !seen.has(name)), [], "cases that no history met");
}
