import assert from "node:assert/strict";
import { DATABASES } from "./databases.ts";

/**
 * What pg_net 0.20.4 (sql/pg_net.sql; arguments unchanged since 0.2 but for the default of the timeout) and
 * supabase_vault 0.3.1 (sql/supabase_vault--0.3.0.sql; 0.2.8 the same) declare, as Postgres prints it. Read off the real
 * extensions with the queries below.
 */
const PUBLISHED = {
  "net.http_post":
    `(url text, body jsonb DEFAULT '{}'::jsonb, params jsonb DEFAULT '{}'::jsonb, headers jsonb DEFAULT '{"Content-Type": "application/json"}'::jsonb, timeout_milliseconds integer DEFAULT 5000) returns bigint`,
  "vault.create_secret":
    "(new_secret text, new_name text DEFAULT NULL::text, new_description text DEFAULT ''::text, new_key_id uuid DEFAULT NULL::uuid) returns uuid",
  "vault.update_secret":
    "(secret_id uuid, new_secret text DEFAULT NULL::text, new_name text DEFAULT NULL::text, new_description text DEFAULT NULL::text, new_key_id uuid DEFAULT NULL::uuid) returns void",
  "vault.decrypted_secrets":
    "id uuid, name text, description text, secret text, decrypted_secret text, key_id uuid, nonce bytea, created_at timestamp with time zone, updated_at timestamp with time zone",
};

for (const [engine, openDatabase] of Object.entries(DATABASES)) {
  Deno.test(`the stand-ins have the signatures that pg_net and Vault publish (${engine})`, async () => {
    await using database = await openDatabase();
    const functions = await database.db.query<{ name: string; signature: string }>(`
      select p.oid::regproc::text as name,
        format('(%s) returns %s', pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)) as signature
      from pg_proc as p
      where p.oid in ('net.http_post'::regproc, 'vault.create_secret'::regproc, 'vault.update_secret'::regproc)
    `);
    const [view] = await database.db.query<{ columns: string }>(`
      select string_agg(format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum) as columns
      from pg_attribute as a
      where a.attrelid = 'vault.decrypted_secrets'::regclass and a.attnum > 0
    `);
    assert.deepEqual(
      {
        ...Object.fromEntries(functions.map(({ name, signature }) => [name, signature])),
        "vault.decrypted_secrets": view!.columns,
      },
      PUBLISHED,
    );
  });
}
