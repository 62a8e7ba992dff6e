import assert from "node:assert/strict";
import { useCluster } from "../../scripts/lib/cluster.ts";
import { type Database, openServer } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { readValue } from "../support/dispatch.ts";

/** What a Supabase project made before 2026-10-30 gives away of everything new in `public`. */
const OLD_DEFAULTS = `
  alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
  alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
  alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
`;

Deno.test("the rights on every object are the same whatever the default privileges of the database are", async () => {
  await using cluster = await useCluster();
  const rightsAfter = async (name: string, setup: string, isOpen: boolean) => {
    const db = await openServer(await cluster.createDatabase(`${name}_${crypto.randomUUID().replaceAll("-", "")}`));
    try {
      await db.exec(setup);
      await migrate(db);
      const rights = await readRights(db);
      await db.exec("create table public.another ()");
      assert.equal(await readValue(db, "select has_table_privilege('anon', 'public.another', 'select')"), isOpen);
      return rights;
    } finally {
      await db.close();
    }
  };
  // The first migration makes the roles that the old defaults name.
  const rights = await rightsAfter("no_defaults", "", false);
  assert.ok(rights.length > 100);
  assert.deepEqual(await rightsAfter("old_defaults", OLD_DEFAULTS, true), rights);
});

/** Who may do what with each table, view, sequence, function and schema, an entry a right. */
async function readRights(db: Database): Promise<string[]> {
  const rows = await db.query<{ entry: string }>(`
    select format('%s: %s to %s', o.name, a.privilege_type, coalesce(r.rolname, 'public')) as entry
    from (
      select c.oid::regclass::text as name, c.relacl as acl, case c.relkind when 'S' then 's' else 'r' end::"char" as kind, c.relowner as owner
      from pg_class as c
      where c.relnamespace in ('public'::regnamespace, 'agg'::regnamespace) and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
      union all
      select p.oid::regprocedure::text, p.proacl, 'f', p.proowner
      from pg_proc as p
      where p.pronamespace in ('public'::regnamespace, 'agg'::regnamespace)
      union all
      select n.nspname, n.nspacl, 'n', n.nspowner from pg_namespace as n where n.nspname = 'agg'
    ) as o
    cross join lateral aclexplode(coalesce(o.acl, acldefault(o.kind, o.owner))) as a
    left join pg_roles as r on r.oid = a.grantee
    order by 1
  `);
  return rows.map(({ entry }) => entry);
}
