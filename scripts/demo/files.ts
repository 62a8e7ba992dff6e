import { join } from "node:path";

const ENDINGS = /\.(csv|txt|tsv)(\.gz)?$|\.zip$/i;

/** The bar files of a folder, by name. Throws when the folder is missing or holds none. */
export async function listFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (!entry.isDirectory && ENDINGS.test(entry.name)) files.push(join(folder, entry.name));
    }
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory)) throw cause;
    const problem = cause instanceof Deno.errors.NotFound ? "there is no such folder" : "it is not a folder";
    throw new Error(`--data ${folder}: ${problem}`, { cause });
  }
  if (files.length === 0) throw new Error(`--data ${folder}: the folder has no .csv, .txt, .tsv or .zip file`);
  return files.sort();
}
