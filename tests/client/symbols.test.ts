import assert from "node:assert/strict";
import { groupSymbols, quote } from "../../client/symbols.ts";

Deno.test("quote() escapes quotes and backslashes and nothing else", () => {
  assert.equal(quote("BRK.B"), '"BRK.B"');
  assert.equal(quote('Q"T\\,(x)'), '"Q\\"T\\\\,(x)"');
});

Deno.test("groupSymbols() keeps the order and the size", () => {
  assert.deepEqual(groupSymbols(["c", "a", "b"], 2), [["c", "a"], ["b"]]);
  assert.deepEqual(groupSymbols([], 2), []);
});

Deno.test("groupSymbols() keeps a group within 5 KiB of a URL, as the URL has it, and a longer symbol alone", () => {
  const long = "é".repeat(3000);
  const symbols = ["a", long, ...Array.from({ length: 500 }, (_, number) => `(${number}), "é"`)];
  const groups = groupSymbols(symbols, 1000);
  assert.deepEqual(groups.flat(), symbols);
  assert.deepEqual(groups.slice(0, 2), [["a"], [long]]);
  const lengths = groups.slice(2).map((group) =>
    new URLSearchParams({ "": group.map(quote).join() }).toString().length
  );
  assert.ok(lengths.every((length) => length <= 5 * 1024), String(lengths));
  assert.ok(lengths.slice(0, -1).every((length) => length > 4.5 * 1024), String(lengths));
});
