import assert from "node:assert/strict";
import { BODY_LIMIT, readJson } from "../../functions/_shared/body.ts";

Deno.test("readJson() refuses a body that says it is too long without waiting for it", async () => {
  const neverSent = new ReadableStream({ pull: () => new Promise(() => {}) });
  await assert.rejects(readJson(post(neverSent, { "content-length": String(BODY_LIMIT + 1) })), { status: 413 });
});

Deno.test("readJson() reads a body in as many chunks as it comes in, up to the limit", async () => {
  const value = { text: "x".repeat(BODY_LIMIT - JSON.stringify({ text: "" }).length) };
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const inThree = ReadableStream.from([bytes.slice(0, 7), bytes.slice(7, 70_000), bytes.slice(70_000)]);
  assert.deepEqual(await readJson(post(inThree, { "content-length": String(BODY_LIMIT) })), value);
});

function post(body: ReadableStream, headers: Record<string, string>): Request {
  return new Request("http://localhost/", {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body,
  });
}
