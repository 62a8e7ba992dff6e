import type { Database } from "../lib/database.ts";
import { findFiles } from "./files.ts";

/** Installs the functions that tests call (`tests/sql/*.sql`, in the order of their names) in a migrated database. */
export async function installTestSql(db: Pick<Database, "exec">): Promise<void> {
  for (const path of await findFiles("tests/sql", ".sql")) {
    try {
      await db.exec(await Deno.readTextFile(path));
    } catch (cause) {
      throw new Error(`${path} cannot be installed`, { cause });
    }
  }
}
