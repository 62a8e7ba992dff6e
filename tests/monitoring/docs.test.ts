import assert from "node:assert/strict";
import { openEngine } from "../support/engine.ts";
import { addStandIns } from "../webhooks/databases.ts";

Deno.test("the statements of docs/monitoring.md set up what they say", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await addStandIns(db);
  const page = await Deno.readTextFile(new URL("../../docs/monitoring.md", import.meta.url));
  const blocks = [...page.matchAll(/^( *)```sql\n([^]*?)^\1```$/gm)].map(([, , sql]) => sql!);
  assert.equal(blocks.length, 3);
  try {
    // pg_net has a stand-in here.
    for (const sql of blocks) await db.exec(sql.replace(/create extension if not exists pg_net;/, ""));
    const targets = await db.query("select t.name, t.kind, t.state from public.agg_alert_targets() as t");
    assert.deepEqual(targets, [
      { name: "chat", kind: "slack", state: "ok" },
      { name: "monitor", kind: "heartbeat", state: "ok" },
    ]);
    for (const name of ["chat", "monitor"]) {
      const [row] = await db.query<{ missing: unknown }>(
        "select public.agg_add_alert_target(t.name, t.kind) -> 'missing' as missing from public.agg_alert_targets() as t where t.name = $1",
        [name],
      );
      assert.deepEqual(row!.missing, []);
    }
    await db.exec("set role grafana");
    await db.query("select count(*) from public.agg_alerts() where severity = 'critical'");
  } finally {
    await db.exec("reset role; drop owned by grafana; drop role grafana");
  }
});

Deno.test("docs/monitoring.md lists every metric, and no other", async () => {
  await using engine = await openEngine();
  const page = await Deno.readTextFile(new URL("../../docs/monitoring.md", import.meta.url));
  const [row] = await engine.db.query<{ source: string }>(
    "select p.prosrc as source from pg_proc as p where p.oid = 'public.agg_metrics'::regproc",
  );
  const names = (text: string) => new Set([...text.matchAll(/\bpgbars_\w+/g)].map(([name]) => name));
  const made = names(row!.source);
  const listed = names([...page.matchAll(/^\| `pgbars_.*$/gm)].map(([line]) => line!.split("|")[1]).join("\n"));
  assert.ok(made.size > 20);
  assert.deepEqual([...listed].sort(), [...made].sort());
});
