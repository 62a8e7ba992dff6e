import assert from "node:assert/strict";
import { isStorable, show } from "../../client/values.ts";

Deno.test("isStorable() knows what Postgres can hold", () => {
  for (const text of ["", "EURUSD", "é€😀", "\u0001", "\\u0000", "\ufffd"]) assert.ok(isStorable(text), text);
  for (const text of ["\0", "a\0b", "\ud800", "half \udc00 a pair", "\ude00\ud83d"]) assert.ok(!isStorable(text), text);
});

Deno.test("show() has a few words for whatever is given", () => {
  const shown = [1, 1n, "a", undefined, null, [1n], {}, new Set(), Object.create(null), () => {}, Symbol("s")].map(
    show,
  );
  assert.deepEqual(shown, [
    "1",
    "1",
    '"a"',
    "undefined",
    "null",
    "an array",
    "an object",
    "a Set",
    "an object",
    "a function",
    "Symbol(s)",
  ]);
});
