import type { Cluster } from "../lib/cluster.ts";
import { type Database, openServer } from "../lib/database.ts";
import { migrate, readMigrations } from "../lib/migrations.ts";
import { readSchemaScript } from "../lib/schemas.ts";
import { runSupabase } from "../lib/supabase.ts";

const HEADER = "-- Generated from supabase/schemas by `deno task migration`.";

/** The folder that holds `schemas` and `migrations`. */
export const SUPABASE_FOLDER: URL = new URL("../../supabase/", import.meta.url);

/**
 * Writes the next migration: what leads from `migrations` to `schemas`, in the order of the Supabase CLI's differ. Returns its
 * path. Data changes are not in it. Throws when nothing differs, and when `name` is not a name.
 */
export async function writeMigration(cluster: Cluster, name: string, folder: URL = SUPABASE_FOLDER): Promise<string> {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`${name} is not a name of lower-case letters, digits and _`);
  const sql = await findDifference(cluster, folder);
  if (sql === "") {
    throw new Error("supabase/schemas and supabase/migrations make the same schema: there is nothing to write");
  }
  const migrations = await readMigrations(folder);
  return await write(folder, `${nextVersion(migrations.at(-1)?.version)}_${name}`, sql);
}

async function findDifference(cluster: Cluster, folder: URL): Promise<string> {
  const [from, to] = [await makeDatabase(cluster, "from"), await makeDatabase(cluster, "to")];
  try {
    await migrate(from.db, await readMigrations(folder));
    await to.db.exec(await readSchemaScript(new URL("schemas/", folder)));
    // Attributes of a type have an order, which ALTER TYPE cannot change: a type that differs is made anew.
    const types = await findChangedTypes(from.db, to.db);
    const drops = types.map((type) => `drop type ${type} cascade;\n`).join("");
    if (drops !== "") await from.db.exec(drops);
    return [drops, replaceInPlace(await diff(from.url, to.url))].filter(Boolean).join("\n");
  } finally {
    await Promise.all([from.db.close(), to.db.close()]);
  }
}

async function makeDatabase(cluster: Cluster, name: string): Promise<{ url: string; db: Database }> {
  const url = await cluster.createDatabase(`pgbars_diff_${name}_${crypto.randomUUID()}`);
  return { url, db: await openServer(url) };
}

const TYPES_SQL = `
  select format('%I.%I', n.nspname, t.typname) as name,
    string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum) as attributes
  from pg_catalog.pg_type as t
  join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
  join pg_catalog.pg_class as c on c.oid = t.typrelid and c.relkind = 'c'
  join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where n.nspname = 'agg'
  group by 1`;

async function findChangedTypes(from: Database, to: Database): Promise<string[]> {
  const wanted = new Map((await readTypes(to)).map(({ name, attributes }) => [name, attributes]));
  return (await readTypes(from)).filter(({ name, attributes }) => wanted.get(name) !== attributes).map(({ name }) =>
    name
  );
}

function readTypes(db: Database): Promise<{ name: string; attributes: string }[]> {
  return db.query(TYPES_SQL);
}

async function diff(from: string, to: string): Promise<string> {
  const output = await Deno.makeTempFile({ suffix: ".sql" });
  try {
    // Without --schema the differ proposes to drop pg_cron.
    const { code, report } = await runSupabase([
      ...["db", "diff", "--from", from, "--to", to, "--schema", "agg,public", "--output", output],
    ]);
    if (code !== 0) throw new Error(report);
    return (await Deno.readTextFile(output)).trim();
  } finally {
    await Deno.remove(output);
  }
}

/**
 * Replaces views and functions that the differ drops and makes again. A drop takes along what others were granted on a view, and
 * fails the calls that run meanwhile. Where a column or a type has changed, Postgres refuses to replace: write the drop by hand,
 * and grant again.
 */
export function replaceInPlace(sql: string): string {
  const drop = /^DROP (VIEW|FUNCTION) "(\w+)"\."(\w+)"(?:\([^\n]*\))?;\n+/gm;
  return [...sql.matchAll(drop)].reduce((text, [statement, kind, schema, name]) => {
    const again = kind === "VIEW"
      ? `CREATE VIEW "${schema}"."${name}" `
      : `CREATE OR REPLACE FUNCTION ${schema}.${name} (`;
    if (!text.includes(again)) return text;
    return text.replace(statement, "").replace(again, again.replace("CREATE VIEW", "CREATE OR REPLACE VIEW"));
  }, sql);
}

function nextVersion(newest = "0"): string {
  const now = new Date().toISOString().replaceAll(/\D/g, "").slice(0, 14);
  return now > newest ? now : String(BigInt(newest) + 1n);
}

async function write(folder: URL, name: string, sql: string): Promise<string> {
  const path = `migrations/${name}.sql`;
  await Deno.writeTextFile(new URL(path, folder), `${HEADER}\n\n${sql.trimEnd()}\n`);
  return `supabase/${path}`;
}
