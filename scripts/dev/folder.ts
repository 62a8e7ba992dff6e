import { lockFolder } from "../lib/folder.ts";
import { describeError } from "../../cli/lib/error.ts";

/** The version of Postgres that comes with Supabase Lite. */
const POSTGRES = "17";

/**
 * Locks a folder for an embedded Postgres, and creates it where it is missing. Disposing of the result unlocks it. Throws
 * an Error with a readable line when the folder cannot be used.
 */
export async function takeFolder(folder: string): Promise<Disposable> {
  const lock = await take(folder);
  const entries = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  if (entries.length > 0) await checkVersion(folder, entries);
  return lock;
}

async function take(folder: string): Promise<Disposable> {
  try {
    return await lockFolder(folder);
  } catch (cause) {
    throw new Error(`--keep: ${describeError(cause)}; name another folder`, { cause });
  }
}

async function checkVersion(folder: string, entries: string[]): Promise<void> {
  if (!entries.includes("PG_VERSION")) {
    throw new Error(`--keep ${folder}: the folder holds other files; name an empty or a new one`);
  }
  const version = (await Deno.readTextFile(`${folder}/PG_VERSION`)).trim();
  if (version === POSTGRES) return;
  throw new Error(
    `--keep ${folder}: the database in it is of Postgres ${version}, and the one here is ${POSTGRES}; name a new folder`,
  );
}
