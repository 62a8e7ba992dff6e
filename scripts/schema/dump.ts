import type { Cluster } from "../lib/cluster.ts";
import { run } from "../lib/process.ts";

/** The schemas `public` and `agg` of a database as pg_dump writes them, without what differs from run to run. */
export async function dumpSchema({ binDir }: Cluster, url: string): Promise<string> {
  const args = ["--schema-only", "--schema=public", "--schema=agg", "--no-owner", `--dbname=${url}`];
  const { code, stdout, report } = await run(`${binDir}/pg_dump`, args);
  if (code !== 0) throw new Error(report);
  // Newer versions of pg_dump put a random key around the statements.
  return stdout.replaceAll(/^\\(?:un)?restrict .*\n/gm, "");
}
