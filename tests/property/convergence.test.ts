import { checkHistories } from "./convergence/check_histories.ts";
import { RARE_CASES, USUAL_CASES } from "./convergence/observer.ts";
import { turnTaking } from "./convergence/random_histories.ts";

Deno.test("bars, cursors and notes converge whatever the history, with sessions that take turns", async () => {
  // Sessions take turns, so a lock that one holds is not released while another waits.
  await checkHistories(40, turnTaking, "5ms", { usual: USUAL_CASES, rare: RARE_CASES });
});
