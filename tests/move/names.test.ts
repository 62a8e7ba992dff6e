import assert from "node:assert/strict";
import { readValue } from "../support/dispatch.ts";
import { openEngine } from "../support/engine.ts";

Deno.test("every table, index and function of public is among the names that an installation asks for", async () => {
  await using engine = await openEngine();
  const script = await Deno.readTextFile(new URL("../../supabase/schemas/00_before.sql", import.meta.url));
  const listed = new Set([...script.matchAll(/'([a-z_0-9]+)'/g)].map(([, name]) => name));
  const names = await readValue<string[]>(
    engine.db,
    `select array(
       select f.name from agg.public_function as f
       union
       select c.relname::text from pg_class as c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'i')
     )`,
  );
  assert.ok(names.length > 30);
  assert.deepEqual(names.filter((name) => !listed.has(name)), []);
});
