import { checkHistories } from "./convergence/check_histories.ts";
import { parallel } from "./convergence/random_histories.ts";

Deno.test("bars, cursors and notes converge whatever the history, with sessions at work at the same instant", async () => {
  await checkHistories(40, parallel, "50ms", {
    usual: ["a change behind a cursor was corrected"],
    // What sessions meet depends on who is faster.
    rare: [
      "a change ahead of the cursor was kept, since a dispatcher held the task",
      "a dispatcher found another at work",
      "a session was killed in mid-statement",
    ],
  });
});
