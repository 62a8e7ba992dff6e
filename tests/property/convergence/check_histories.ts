import assert from "node:assert/strict";
import type fc from "fast-check";
import type { History } from "../../../model/ops.ts";
import { checkProperty } from "../../support/check_property.ts";
import { openEngine } from "../../support/engine.ts";
import type { Case } from "./observer.ts";
import { Stage } from "./play.ts";

/** How often a whole run is played at most, until it has met every case. */
const ROUNDS = 4;

/**
 * Plays `count` histories, or as many as the run asks for, in a database of their own; and again, up to {@link ROUNDS} times,
 * while none has met one of `cases`, some of which are rare. No session waits for a lock longer than `lockTimeout`, such as
 * `50ms`. Rejects with the seed and the shortest history that does not converge, and when no history met one of `cases`.
 */
export async function checkHistories(
  count: number,
  histories: fc.Arbitrary<History>,
  lockTimeout: string,
  cases: readonly Case[],
): Promise<void> {
  await using engine = await openEngine();
  await using stage = await Stage.open(engine.url, engine.db, lockTimeout);
  const seen = new Map<Case, number>();
  const play = () => checkProperty(count, [histories], (history) => stage.play(history, seen));
  const missed = () => cases.filter((name) => !seen.has(name));
  const runs = await play();
  for (let round = 1; round < ROUNDS && runs >= count && missed().length > 0; round++) await play();
  assert.deepEqual(runs < count ? [] : missed(), [], "cases that no history met");
}
