import assert from "node:assert/strict";
import { forEachAtOnce } from "../../client/at_once.ts";

const ITEMS = Array.from({ length: 10 }, (_, number) => number);

Deno.test("forEachAtOnce() works on every item, on as many at a time as it may", async () => {
  const done: number[] = [];
  const underWay = new Set<number>();
  let most = 0;
  await forEachAtOnce(ITEMS, 3, async (item) => {
    underWay.add(item);
    most = Math.max(most, underWay.size);
    await Promise.resolve();
    underWay.delete(item);
    done.push(item);
  });
  assert.equal(most, 3);
  assert.deepEqual(done.sort((one, other) => one - other), ITEMS);
});

Deno.test("forEachAtOnce() rejects with the first failure, and leaves nothing under way", async () => {
  const started: number[] = [];
  const aborted: number[] = [];
  const work = async (item: number, signal: AbortSignal) => {
    started.push(item);
    if (item === 1) throw new Error("first");
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    await new Promise((resolve) => setTimeout(resolve, 0));
    aborted.push(item);
    throw new Error("aborted");
  };
  await assert.rejects(forEachAtOnce(ITEMS, 3, work), { message: "first" });
  assert.deepEqual(started, [0, 1, 2]);
  assert.deepEqual(aborted, [0, 2]);
});
