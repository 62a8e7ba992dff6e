import { measureBackfill } from "./bench/backfill.ts";
import { measureCorrections } from "./bench/corrections.ts";
import { measureIngest } from "./bench/ingest.ts";
import type { Measurement } from "./bench/measure.ts";
import { measureRegistry } from "./bench/registry.ts";
import { renderReport } from "./bench/report.ts";
import { measureTick } from "./bench/tick.ts";
import { startCluster } from "./lib/cluster.ts";
import { type Database, openServer } from "./lib/database.ts";
import { ensurePackages } from "./lib/debian.ts";
import { migrate } from "./lib/migrations.ts";

type Benchmark = (db: Database, bareSql: string) => Promise<Measurement[]>;

const read = (name: string) => Deno.readTextFile(new URL(`./bench/${name}`, import.meta.url));

await ensurePackages();
await using cluster = await startCluster({
  settings: { shared_buffers: "1GB", max_wal_size: "8GB", autovacuum: "off", jit: "off" },
});
const bareSql = await read("bare.sql");

async function open(name: string): Promise<Database> {
  console.log(`measuring ${name} ...`);
  const db = await openServer(await cluster.createDatabase(name));
  await migrate(db);
  return db;
}

async function run(name: string, benchmark: Benchmark): Promise<Measurement[]> {
  const db = await open(name);
  try {
    await db.exec(await read("window_loop.sql"));
    return await benchmark(db, bareSql);
  } finally {
    await db.close();
  }
}

const BENCHMARKS: Record<string, () => Promise<Measurement[]>> = {
  tick: () => run("tick", measureTick),
  ingest: () => run("ingest", measureIngest),
  corrections: () => measureCorrections(open),
  registry: () => measureRegistry(open),
  backfill: () => run("backfill", measureBackfill),
};

const names = Deno.args.length > 0 ? Deno.args : Object.keys(BENCHMARKS);
const measurements: Measurement[] = [];
for (const name of names) {
  const benchmark = BENCHMARKS[name];
  if (benchmark === undefined) throw new Error(`${name} is not one of ${Object.keys(BENCHMARKS).join(", ")}`);
  measurements.push(...await benchmark());
}
console.log(renderReport(measurements));
