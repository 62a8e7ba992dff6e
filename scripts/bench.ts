import { parseArgs } from "node:util";
import { measureAudit } from "./bench/audit.ts";
import { measureBackfill } from "./bench/backfill.ts";
import { measureBroadcast } from "./bench/broadcast.ts";
import { measureClaim } from "./bench/claim.ts";
import { measureCorrections } from "./bench/corrections.ts";
import { measureHistory } from "./bench/history.ts";
import { measureImport } from "./bench/import.ts";
import { measureIngest } from "./bench/ingest.ts";
import type { Measurement } from "./bench/measure.ts";
import { measureRead } from "./bench/read.ts";
import { measureRegistry } from "./bench/registry.ts";
import { renderReport } from "./bench/report.ts";
import { measureTick, measureVariants } from "./bench/tick.ts";
import { startCluster } from "./lib/cluster.ts";
import { type Database, openServer } from "./lib/database.ts";
import { ensurePackages } from "./lib/debian.ts";
import { migrate } from "./lib/migrations.ts";

/** `--scale N` divides the sizes of tick, variants, broadcast, claim, import, read, backfill and history by N, to try them; budgets hold at 1. */
const { values, positionals } = parseArgs({
  options: { scale: { type: "string", default: "1" } },
  allowPositionals: true,
});
const scale = Number(values.scale);
if (!(scale >= 1)) throw new Error(`--scale must be a number from 1 on, not ${values.scale}`);

await ensurePackages();
await using cluster = await startCluster({
  settings: { shared_buffers: "1GB", max_wal_size: "8GB", autovacuum: "off", jit: "off" },
});

async function open(name: string): Promise<Database> {
  console.log(`measuring ${name} ...`);
  const db = await openServer(await cluster.createDatabase(name));
  await migrate(db);
  return db;
}

async function run(
  name: string,
  benchmark: (db: Database, reopen: () => Promise<Database>) => Promise<Measurement[]>,
): Promise<Measurement[]> {
  const db = await open(name);
  try {
    await db.exec(await Deno.readTextFile(new URL("./bench/window_loop.sql", import.meta.url)));
    return await benchmark(db, () => openServer(cluster.url(name)));
  } finally {
    await db.close();
  }
}

const BENCHMARKS: Record<string, () => Promise<Measurement[]>> = {
  tick: () => run("tick", (db, reopen) => measureTick(db, reopen, scale)),
  variants: () => measureVariants(open, scale),
  claim: () => measureClaim(open, scale),
  ingest: () => run("ingest", measureIngest),
  import: () => measureImport(open, (name) => cluster.url(name), scale),
  corrections: () => measureCorrections(open),
  registry: () => measureRegistry(open),
  read: () => run("read", (db) => measureRead(db, scale)),
  broadcast: () => run("broadcast", (db) => measureBroadcast(db, scale)),
  audit: () => run("audit", (db) => measureAudit(db, scale)),
  backfill: () => run("backfill", (db, reopen) => measureBackfill(db, reopen, scale)),
  history: () => measureHistory(open, scale),
};

const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);
const measurements: Measurement[] = [];
for (const name of names) {
  const benchmark = BENCHMARKS[name];
  if (benchmark === undefined) throw new Error(`${name} is not one of ${Object.keys(BENCHMARKS).join(", ")}`);
  measurements.push(...await benchmark());
}
console.log(renderReport(measurements));
