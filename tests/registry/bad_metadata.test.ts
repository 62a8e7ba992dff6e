import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import { openServer } from "../../scripts/lib/database.ts";
import { openEngine } from "../support/engine.ts";
import { ENGINES } from "../support/stack.ts";

const REGISTRY = "core_asset_registry_all";
const BAD = { agg: { enabld: true } };

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`a statement that gives an asset bad metadata is refused over HTTP, and names asset and key (${engine})`, async () => {
    await using stack = await openStack();
    const supabase = createClient(stack.url, stack.keys.secret);
    const refused = await supabase.from(REGISTRY).insert([
      { canonical_symbol: "GOOD", active: true, metadata: {} },
      { canonical_symbol: "BAD", active: true, metadata: BAD },
    ]);
    assert.equal(refused.status, 400);
    assert.equal(refused.error!.code, "22023");
    assert.match(refused.error!.message, /^metadata of BAD: agg\.enabld is not known; known are enabled, /);
    assert.equal(
      refused.error!.hint,
      "Nothing of this statement is stored. Correct the metadata it gives and try again.",
    );

    const taken = await supabase.from(REGISTRY).insert({ canonical_symbol: "GOOD", active: true, metadata: {} });
    assert.equal(taken.status, 201);
    const { data } = await supabase.from("data_agg_state").select("canonical_symbol, timeframe, enabled")
      .in("canonical_symbol", ["GOOD", "BAD"]).order("timeframe");
    assert.deepEqual(data, [
      { canonical_symbol: "GOOD", timeframe: "1h", enabled: true },
      { canonical_symbol: "GOOD", timeframe: "5m", enabled: true },
    ]);
  });
}

Deno.test("metadata that were stored before are followed as far as they are understood, with a warning that names asset and key", async () => {
  await using engine = await openEngine();
  const notices: string[] = [];
  const db = await openServer(engine.url, { onNotice: (text) => notices.push(text) });
  try {
    await db.exec(`
      alter table public.${REGISTRY} disable trigger user;
      insert into public.${REGISTRY} (canonical_symbol, metadata) values ('OLD', '${
      JSON.stringify(BAD)
    }'), ('FINE', '{}');
      alter table public.${REGISTRY} enable trigger user;`);
    await db.exec(`update public.${REGISTRY} set active = true`);
    const warnings = notices.filter((text) => text.startsWith("metadata are not understood"));
    assert.equal(warnings.length, 1, notices.join("\n"));
    assert.match(warnings[0]!, /^metadata are not understood: OLD \(agg\.enabld is not known; .*; left out: key\)$/);
    const tasks = await db.query<{ canonical_symbol: string }>(
      "select distinct s.canonical_symbol from public.data_agg_state as s where s.canonical_symbol in ('OLD', 'FINE') and s.enabled",
    );
    assert.deepEqual(tasks.map(({ canonical_symbol }) => canonical_symbol).sort(), ["FINE", "OLD"]);
  } finally {
    await db.close();
  }
});
