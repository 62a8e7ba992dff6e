import assert from "node:assert/strict";
import { readRange } from "../../client/range.ts";
import instants from "../fixtures/instants.json" with { type: "json" };

const LATER = "2500-01-01T00:00:00.000000Z";

Deno.test("readRange() reads and refuses instants as every door does", async (test) => {
  for (const { text, utc, lacks_zone } of instants) {
    await test.step(text.slice(0, 60), () => {
      if (utc !== null) return assert.deepEqual(readRange("call", text, LATER), { from: utc, to: LATER });
      assert.throws(() => readRange("call", text, LATER), (error: Error) => {
        assert.match(error.name, /^(TypeError|RangeError)$/);
        assert.equal(error.message.includes("lacks its zone"), lacks_zone === true, error.message);
        return true;
      });
    });
  }
});
