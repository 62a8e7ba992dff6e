import { readdir, readFile } from "node:fs/promises";

/** One file of a folder of migrations, named `<version>_<name>.sql`. */
export interface Migration {
  version: string;
  name: string;
  sql: string;
}

/**
 * Reads a folder of migrations in the order in which they apply. Other files are left out, as the Supabase CLI does;
 * `onOther` is called with the name of each that ends in `.sql`.
 */
export async function readMigrationFiles(
  folder: URL | string,
  onOther: (file: string) => void = () => {},
): Promise<Migration[]> {
  const migrations: Migration[] = [];
  for (const file of await readdir(folder)) {
    if (!file.endsWith(".sql")) continue;
    const [, version, name] = /^(\d+)_(.+)\.sql$/.exec(file) ?? [];
    if (version === undefined || name === undefined) onOther(file);
    else migrations.push({ version, name, sql: await readFile(join(folder, file), "utf8") });
  }
  return migrations.sort((a, b) => a.version < b.version ? -1 : 1);
}

function join(folder: URL | string, file: string): URL | string {
  return folder instanceof URL ? new URL(file, folder) : `${folder}/${file}`;
}
