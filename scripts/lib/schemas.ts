const FOLDER = new URL("../../supabase/schemas/", import.meta.url);

/** Kinds of files, in the order in which they are applied: `data_bars.table.sql` is a table, `upsert_bars.sql` a function. */
const KINDS = ["schema", "type", "table", "function", "view"];

/** The first file, and the last ones. */
const SCRIPTS = ["00_before.sql", "99_grants.sql", "99_install.sql", "99_move.sql"];

/** The statements that stand above what they describe, and everything below them. */
const HEADED = /^((?:comment on (?:'(?:[^']|'')*'|[^';])*;\n)+)\n([^]*)$/;

/** One file of `supabase/schemas`, as it can be run. */
export interface SchemaFile {
  /** Relative to `supabase/schemas`. */
  path: string;
  sql: string;
}

/**
 * Reads `supabase/schemas` in the order in which its files apply: what sets an older deployment aside; schemas and roles,
 * types, tables, functions, views, each room by room; then grants, what an installation does once, and what copies an older
 * deployment. A `comment on` stands above what it describes and is moved behind it.
 */
export async function readSchemas(folder: URL = FOLDER): Promise<SchemaFile[]> {
  const files: SchemaFile[] = [];
  for await (const room of Deno.readDir(folder)) {
    if (!room.isDirectory) continue;
    for await (const { name } of Deno.readDir(new URL(`${room.name}/`, folder))) {
      if (name.endsWith(".sql")) files.push(await readFile(folder, `${room.name}/${name}`));
    }
  }
  files.sort((a, b) => rank(a.path) - rank(b.path) || (a.path < b.path ? -1 : 1));
  const [before, ...last] = await Promise.all(SCRIPTS.map((name) => readFile(folder, name)));
  return [before!, ...files, ...last];
}

/** All of `supabase/schemas` as one script for an empty database. */
export async function readSchemaScript(folder?: URL): Promise<string> {
  const files = await readSchemas(folder);
  return [
    "set check_function_bodies = off;\n",
    ...files.map(({ path, sql }) => `-- ${path}\n${sql}`),
    "reset check_function_bodies;\n",
  ].join("\n");
}

function rank(path: string): number {
  const kind = /\.([a-z]+)\.sql$/.exec(path)?.[1] ?? "function";
  const position = KINDS.indexOf(kind);
  if (position < 0) throw new Error(`supabase/schemas/${path}: ${kind} is not one of ${KINDS.join(", ")}`);
  return position;
}

async function readFile(folder: URL, path: string): Promise<SchemaFile> {
  const text = await Deno.readTextFile(new URL(path, folder));
  const [, comments, definition] = HEADED.exec(text) ?? [];
  return { path, sql: definition === undefined ? text : `${definition.trimEnd()}\n\n${comments}` };
}
