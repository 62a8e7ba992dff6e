import type { Database } from "../../scripts/lib/database.ts";

/** Names of the tables and views of a schema, in order. */
export function relationNames(db: Database, schema: "public" | "agg"): Promise<string[]> {
  return names(
    db,
    "select c.relname as name from pg_class as c where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')",
    schema,
  );
}

/** Names of the functions of a schema, in order. */
export function functionNames(db: Database, schema: "public" | "agg"): Promise<string[]> {
  return names(db, "select p.proname as name from pg_proc as p where p.pronamespace = $1::regnamespace", schema);
}

async function names(db: Database, sql: string, schema: string): Promise<string[]> {
  const rows = await db.query<{ name: string }>(sql, [schema]);
  return rows.map(({ name }) => name).sort();
}
