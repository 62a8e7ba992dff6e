import { checkHistories } from "./convergence/check_histories.ts";
import { CASES } from "./convergence/observer.ts";
import { turnTaking } from "./convergence/random_histories.ts";

Deno.test("bars, cursors and notes converge whatever the history, with sessions that take turns", async () => {
  // Whoever waits for a lock here does so in vain.
  await checkHistories(400, turnTaking, "5ms", CASES);
});
