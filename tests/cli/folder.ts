/** A folder for one test. */
export interface TestFolder {
  readonly path: string;
  read(path: string): Promise<string>;
  write(path: string, text: string): Promise<void>;
  /** Contents of all files by their path. */
  readAll(): Promise<Record<string, string>>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes a folder with these files. */
export async function makeFolder(files: Record<string, string>): Promise<TestFolder> {
  const path = await Deno.makeTempDir({ prefix: "pgbars-project-" });
  const write = async (name: string, text: string) => {
    const full = `${path}/${name}`;
    await Deno.mkdir(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(full, text);
  };
  for (const [name, text] of Object.entries(files)) await write(name, text);
  return {
    path,
    read: (name) => Deno.readTextFile(`${path}/${name}`),
    write,
    readAll: async () => {
      const names = await list(path);
      const texts = await Promise.all(names.map((name) => Deno.readTextFile(`${path}/${name}`)));
      return Object.fromEntries(names.map((name, index) => [name, texts[index]!]));
    },
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

async function list(folder: string, prefix = ""): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${prefix}`)) {
    if (isDirectory) names.push(...await list(folder, `${prefix}${name}/`));
    else names.push(`${prefix}${name}`);
  }
  return names.sort();
}
