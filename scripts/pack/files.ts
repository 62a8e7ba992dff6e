/** The paths of all files below a folder, relative to it; none where there is no such folder. */
export async function listFiles(folder: URL, prefix = ""): Promise<string[]> {
  const files: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) files.push(...await listFiles(new URL(`${name}/`, folder), `${prefix}${name}/`));
      else files.push(`${prefix}${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return files;
}
