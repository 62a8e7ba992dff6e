import { fileURLToPath } from "node:url";
import { run } from "./process.ts";

const CACHE = fileURLToPath(new URL("../../node_modules/.cache/pgbars", import.meta.url));

/**
 * Installs an npm package of a version, with what it depends on, where it is missing, and returns the `node_modules` that
 * holds it. `finish` gets the folder of the package once. For packages so large that only the tests that need one get it.
 */
export async function installFromNpm(
  name: string,
  version: string,
  finish: (folder: string) => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  const target = `${CACHE}/${name.replaceAll("/", "-")}-${version}`;
  const folder = `${target}/node_modules`;
  if (await exists(folder)) return folder;

  await Deno.mkdir(CACHE, { recursive: true });
  const part = await Deno.makeTempDir({ dir: CACHE, prefix: "part-" });
  try {
    const quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"];
    const { code, report } = await run("npm", ["install", ...quiet, `--prefix=${part}`, `${name}@${version}`]);
    if (code !== 0) throw new Error(report);
    await finish(`${part}/node_modules/${name}`);
    await Deno.rename(part, target);
  } catch (error) {
    await Deno.remove(part, { recursive: true });
    // Another process may have installed it meanwhile.
    if (!await exists(folder)) throw error;
  }
  return folder;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
