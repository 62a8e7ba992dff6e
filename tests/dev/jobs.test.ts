import assert from "node:assert/strict";
import { deliverAfterMaintenance, runJobs } from "../../scripts/dev/scheduler.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { readJobs } from "../../scripts/lib/stack/jobs.ts";
import { readValue } from "../support/dispatch.ts";
import { openEngine } from "../support/engine.ts";
import { serveReceiver } from "../support/receiver.ts";
import { ENGINES } from "../support/stack.ts";
import { waitUntil } from "../support/wait.ts";
import { minuteBar, openClient } from "./client.ts";

const EACH_SECOND = "* * * * * *";

Deno.test("runJobs() runs every job on its schedule, tells of one that fails, and starts none that is at work", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await db.exec("create table public.test_run (job text)");
  const job = (name: string, command: string, schedule = EACH_SECOND) => ({ job_name: name, schedule, command });
  const insert = (name: string) => job(name, `insert into public.test_run values ('${name}')`);
  const runs = (name: string) =>
    readValue<number>(db, "select count(*) from public.test_run as r where r.job = $1", [name]);
  let [atWork, most, ended] = [0, 0, 0];
  const slow: Database = {
    ...db,
    query: async () => {
      most = Math.max(most, ++atWork);
      await new Promise((resolve) => setTimeout(resolve, 2500));
      atWork--;
      ended++;
      return [];
    },
  };
  const lines: string[] = [];
  const report = (line: string) => void lines.push(line);
  {
    using _jobs = runJobs(db, [insert("good"), job("bad", "select 1 / 0"), {
      ...insert("rare"),
      schedule: "0 0 29 2 *",
    }], report);
    using _slow = runJobs(slow, [job("slow", "")], report);
    await waitUntil(async () => await runs("good") >= 3 && ended > 0);
  }
  const good = await runs("good");
  assert.equal(await runs("rare"), 0);
  assert.ok(lines.length > 0);
  for (const line of lines) assert.match(line, /^job bad failed at \S+Z: division by zero$/);
  await waitUntil(() => Promise.resolve(atWork === 0));
  assert.equal(most, 1);
  assert.equal(await runs("good"), good, "stopped jobs do not run");
});

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`the jobs turn minutes that a client inserts into longer bars, while it reads (${engine})`, async () => {
    await using stack = await openStack();
    const admin = openClient(stack.url, stack.keys.secret);
    await admin.from("core_asset_registry_all").insert({ canonical_symbol: "EURUSD", active: true });
    await stack.post("registry-sync", { env: "prod" });
    await admin.from("data_bars").insert(Array.from({ length: 60 }, (_, minute) => minuteBar("EURUSD", minute)));
    const jobs = (await readJobs(stack.db)).map((job) => ({ ...job, schedule: EACH_SECOND }));
    const lines: string[] = [];
    using _jobs = runJobs(stack.db, jobs, (line) => lines.push(line));
    await waitUntil(async () => {
      const { data, error } = await admin.from("derived_data_bars").select("timeframe,quality_score");
      assert.equal(error, null);
      return data?.length === 13;
    });
    assert.deepEqual(lines, []);
  });
}

Deno.test("after the maintenance job the alerts are delivered, though there is no pg_net", async () => {
  await using stack = await ENGINES["PGlite"]!();
  await using receiver = serveReceiver();
  const { db } = stack;
  await db.exec(`
    create schema vault;
    create table vault.decrypted_secrets (name text, decrypted_secret text);
    insert into vault.decrypted_secrets values ('pgbars_alert_chat_url', '${receiver.url}/chat');
    select public.agg_add_alert_target('chat', 'slack');
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    values ('UNKNOWN', date_trunc('minute', now()) - interval '1 minute', 1, 1, 1, 1);
  `);
  const jobs = (await readJobs(db)).filter(({ job_name }) => job_name === "pgbars:maintain");
  const lines: string[] = [];
  const report = (line: string) => void lines.push(line);
  {
    using _jobs = runJobs(
      db,
      jobs.map((job) => ({ ...job, schedule: EACH_SECOND })),
      report,
      deliverAfterMaintenance(db, stack, report),
    );
    await waitUntil(() => Promise.resolve(receiver.received.some(({ text }) => text.includes("unregistered"))));
  }
  assert.deepEqual(lines, []);
});
