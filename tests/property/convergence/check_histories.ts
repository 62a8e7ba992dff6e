import assert from "node:assert/strict";
import type fc from "fast-check";
import type { History } from "../../../model/ops.ts";
import { checkProperty } from "../../support/check_property.ts";
import { openEngine } from "../../support/engine.ts";
import type { Case } from "./observer.ts";
import { Stage } from "./play.ts";

/**
 * Plays `count` histories, or as many as the run asks for, in a database of their own, and as many again where none of a whole
 * run met one of `cases`. No session waits for a lock longer than `lockTimeout`, such as `50ms`. Rejects with the seed and the
 * shortest history that does not converge, and when no history met one of `cases`.
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
  // Rare cases may take more.
  if (runs >= count && missed().length > 0) await play();
  assert.deepEqual(runs < count ? [] : missed(), [], "cases that no history met");
}
