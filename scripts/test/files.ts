/** The text of a file, or undefined when there is no such file. */
export async function readIfExists(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * The files below a folder whose path ends in `suffix`, sorted, relative to the project. With `only`, those that are one of
 * these paths or below one. A folder that does not exist has no files.
 */
export async function findFiles(folder: string, suffix: string, only: string[] = []): Promise<string[]> {
  const roots = only.map((path) => path.replace(/^\.\//, "").replace(/\/+$/, ""));
  const files: string[] = [];
  for await (const path of walk(folder)) {
    if (!path.endsWith(suffix)) continue;
    if (roots.length === 0 || roots.some((root) => path === root || path.startsWith(`${root}/`))) files.push(path);
  }
  return files.sort();
}

async function* walk(folder: string): AsyncGenerator<string> {
  try {
    for await (const entry of Deno.readDir(folder)) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) yield* walk(path);
      else yield path;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
