import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { migrate, readMigrations } from "../../scripts/lib/migrations.ts";
import { openEmbeddedBackend } from "../../scripts/lib/stack/backend.ts";

const FOLDER = fileURLToPath(new URL("../../node_modules/.cache/pgbars", import.meta.url));
const PACKAGES = new URL("../../deno.json", import.meta.url);

/**
 * A migrated embedded Postgres to start with, which takes a third of the time of making one. It is kept in a file that the
 * tests share, and made anew when a migration or a package has changed.
 */
export async function migratedSnapshot(): Promise<Blob> {
  const sources = [await Deno.readTextFile(PACKAGES), ...(await readMigrations()).map(({ sql }) => sql)];
  const path = `${FOLDER}/${createHash("sha256").update(JSON.stringify(sources)).digest("hex")}.tar`;
  try {
    return new Blob([await Deno.readFile(path)]);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return await makeSnapshot(path);
  }
}

async function makeSnapshot(path: string): Promise<Blob> {
  const backend = await openEmbeddedBackend();
  await migrate(backend.db);
  const snapshot = await backend.takeSnapshot();
  await backend.close();

  await Deno.mkdir(FOLDER, { recursive: true });
  const part = `${FOLDER}/${crypto.randomUUID()}.part`;
  await Deno.writeFile(part, snapshot.stream());
  await Deno.rename(part, path);
  for await (const { name } of Deno.readDir(FOLDER)) {
    const old = `${FOLDER}/${name}`;
    if (name.endsWith(".tar") && old !== path) await Deno.remove(old).catch(() => {});
  }
  return snapshot;
}
