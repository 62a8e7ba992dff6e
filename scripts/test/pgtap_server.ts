import type { Cluster } from "../lib/cluster.ts";
import { run } from "../lib/process.ts";
import { mergeResults, type StepResult } from "../lib/result.ts";
import { type TestContext, withServer } from "./context.ts";
import { readIfExists } from "./files.ts";
import { findPgtapFiles, pgtapSetup } from "./pgtap.ts";
import { countTap } from "./tap.ts";

/** Two at a time, each in a database of its own: in one database, files that write the same rows would wait for each other. */
const WORKERS = 2;

/** Runs every pgTAP file on Postgres 15 with pg_prove. */
export async function runPgtapServer(context: TestContext): Promise<StepResult> {
  const files = await findPgtapFiles(context);
  const results = await Promise.all(
    Array.from({ length: WORKERS }, async (_, worker) => {
      const share = files.filter((_, index) => index % WORKERS === worker);
      if (share.length === 0) return mergeResults([]);
      const database = `pgbars_pgtap_${worker}`;
      const url = await context.createMigratedDatabase(database);
      await withServer(url, (db) => db.exec(pgtapSetup(database)));
      return await prove(await context.cluster(), database, share);
    }),
  );
  return mergeResults(results);
}

/** Runs pgTAP files one after another in a database that is set up for pgTAP. */
export async function prove(cluster: Cluster, database: string, files: string[]): Promise<StepResult> {
  const tapFolder = await Deno.makeTempDir({ prefix: "pgbars-tap-" });
  try {
    const connection = ["--host", cluster.socketDir, "--port", String(cluster.port), "--username", "postgres"];
    const { code, report } = await run(
      "pg_prove",
      ["--norc", "--nocolor", "--psql-bin", `${cluster.binDir}/psql`, ...connection, "--dbname", database, ...files],
      { env: { PERL_TEST_HARNESS_DUMP_TAP: tapFolder } },
    );
    const results = await Promise.all(
      files.map(async (file) => countTap(file, await readIfExists(`${tapFolder}/${file}`) ?? "")),
    );
    const total = mergeResults(results);
    const alarm = code !== 0 && total.failed === 0;
    return {
      ...total,
      failed: total.failed + (alarm ? 1 : 0),
      output: code === 0 && total.failed === 0 ? "" : `${total.output}\n\n${report}`,
    };
  } finally {
    await Deno.remove(tapFolder, { recursive: true });
  }
}
