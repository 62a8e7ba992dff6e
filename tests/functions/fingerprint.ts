import type { Database } from "../../scripts/lib/database.ts";

/** Every table that a function could change, with the version of each row: equal before and after means nothing was written. */
export async function fingerprint(db: Database): Promise<Record<string, string>> {
  const tables = await db.query<{ name: string }>(`
    select format('%I.%I', n.nspname, c.relname) as name
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname in ('public', 'agg') and c.relkind = 'r' order by 1`);
  const found: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await db.query<{ hash: string }>(
      `select md5(coalesce(string_agg(t.xmin::text || t::text, ',' order by t.ctid), '')) as hash from ${name} as t`,
    );
    found[name] = row!.hash;
  }
  return found;
}
