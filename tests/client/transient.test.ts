import assert from "node:assert/strict";
import { isTransient } from "../../client/transient.ts";
import { openEngine } from "../support/engine.ts";

Deno.test("isTransient() and agg.fail_kind() agree on every SQLSTATE", async () => {
  await using engine = await openEngine();
  const own = await readCodes(engine.cluster.binDir);
  assert.ok(own.length > 200, `Postgres lists ${own.length} codes`);
  // Its subclasses in every class there could be, so that codes of other servers and versions are compared as well.
  const subclasses = [...new Set(own.map((code) => code.slice(2)))];
  const classes = [...ALPHABET].flatMap((first) => [...ALPHABET].map((second) => first + second));
  const codes = classes.flatMap((start) => subclasses.map((end) => start + end));
  const rows = await engine.db.query<{ code: string }>(
    "select e.code from unnest($1::text[]) as e (code) where agg.fail_kind(e.code) = 'transient' order by e.code",
    [codes],
  );
  const transient = codes.filter((code) => isTransient(400, code)).sort();
  assert.deepEqual(transient, rows.map(({ code }) => code));
});

Deno.test("isTransient() takes no answer, and statuses of a server that is away, for transient", () => {
  for (const status of [0, 502, 503, 504, 520, 522]) assert.equal(isTransient(status, ""), true, String(status));
  for (const status of [400, 401, 404, 409, 500, 501]) assert.equal(isTransient(status, ""), false, String(status));
  for (const code of ["PGRST202", "42883", "0800", "080000"]) assert.equal(isTransient(400, code), false, code);
});

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** The SQLSTATEs of the server's own list. */
async function readCodes(binDir: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(`${binDir}/pg_config`, { args: ["--sharedir"] }).output();
  const list = await Deno.readTextFile(`${new TextDecoder().decode(stdout).trim()}/errcodes.txt`);
  return [...new Set([...list.matchAll(/^([0-9A-Z]{5})\s/gm)].map(([, code]) => code!))];
}
