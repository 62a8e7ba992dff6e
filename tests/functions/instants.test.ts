import assert from "node:assert/strict";
import { instantSchema } from "../../functions/_shared/validation.ts";
import instants from "../fixtures/instants.json" with { type: "json" };

Deno.test("the functions read and refuse instants as every door does, to the millisecond", async (test) => {
  for (const { text, utc, lacks_zone } of instants) {
    await test.step(text.slice(0, 60), () => {
      const { data, error } = instantSchema.safeParse(text);
      if (utc !== null) return assert.equal(data?.toISOString(), utc.replace(/\d{3}Z$/, "Z"));
      assert.equal(error?.issues.length, 1);
      assert.equal(error.issues[0]!.message.includes("lacks its zone"), lacks_zone === true);
    });
  }
});
