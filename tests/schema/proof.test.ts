import assert from "node:assert/strict";
import { splitReleases } from "../../cli/lib/releases.ts";
import { useCluster } from "../../scripts/lib/cluster.ts";
import { readMigrations } from "../../scripts/lib/migrations.ts";
import { SUPABASE_FOLDER, writeMigration } from "../../scripts/schema/generate.ts";
import { proveSchema } from "../../scripts/schema/proof.ts";

/** A check for each release, and one for the schemas. */
const CHECKS = splitReleases(await readMigrations()).length + 1;

async function copySupabase(): Promise<
  { folder: URL; edit: (path: string, from: string, to: string) => Promise<void> }
> {
  const folder = new URL(`file://${await Deno.makeTempDir({ prefix: "pgbars-supabase-" })}/`);
  await copyFolder(new URL("schemas/", SUPABASE_FOLDER), new URL("schemas/", folder));
  await copyFolder(new URL("migrations/", SUPABASE_FOLDER), new URL("migrations/", folder));
  const edit = async (path: string, from: string, to: string) => {
    const url = new URL(`schemas/${path}`, folder);
    const text = await Deno.readTextFile(url);
    assert.ok(text.includes(from), `${path} lacks ${from}`);
    await Deno.writeTextFile(url, text.replace(from, to));
  };
  return { folder, edit };
}

async function copyFolder(from: URL, to: URL): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(new URL(`${name}/`, from), new URL(`${name}/`, to));
    else await Deno.copyFile(new URL(name, from), new URL(name, to));
  }
}

Deno.test("deno task migration writes what the three-way proof asks for after a change of supabase/schemas", async (t) => {
  await using cluster = await useCluster();
  const { folder, edit } = await copySupabase();
  const prove = async () => {
    const { passed, failed, output } = await proveSchema(cluster, folder);
    return { passed, failed, output };
  };

  await t.step("the proof holds before, and there is nothing to write", async () => {
    assert.deepEqual(await prove(), { passed: CHECKS, failed: 0, output: "" });
    await assert.rejects(writeMigration(cluster, "change_nothing", folder), /there is nothing to write/);
  });

  await t.step("the proof fails for a function that is edited without a migration, and shows the line", async () => {
    await edit("10_foundation/is_test.sql", "('DEV', 'TEST')", "('DEV', 'TEST', 'STAGING')");
    const { passed, failed, output } = await prove();
    assert.deepEqual({ passed, failed }, { passed: CHECKS - 1, failed: 1 });
    assert.match(output, /^-.*'STAGING'/m);
  });

  await t.step(
    "a migration for it, a type with a new first attribute, a column and a function makes it hold",
    async () => {
      await edit(
        "70_build/build_request.type.sql",
        "  symbols text[],",
        "  request_id bigint,\n  symbols text[],",
      );
      await edit("80_dispatch/alert.table.sql", "\n);", ",\n  seen_at timestamptz\n);");
      await Deno.writeTextFile(
        new URL("schemas/90_api/agg_nothing.sql", folder),
        "comment on function public.agg_nothing is 'Does nothing.';\n\ncreate function public.agg_nothing()\nreturns void\n" +
          "language sql\nimmutable\nset search_path = pg_catalog, pg_temp\nas $$ select null::void; $$;\n",
      );
      // It stands in two lists.
      await edit("99_grants.sql", "  public.agg_metrics,", "  public.agg_nothing,\n  public.agg_metrics,");
      await edit(
        "99_grants.sql",
        "  public.agg_maintain,\n  public.agg_metrics,",
        "  public.agg_maintain,\n  public.agg_nothing,\n  public.agg_metrics,",
      );
      assert.equal((await prove()).failed, 1);
      const before = await readMigrations(folder);
      const path = await writeMigration(cluster, "change_several", folder);
      assert.match(path, /^supabase\/migrations\/\d{14}_change_several\.sql$/);
      assert.deepEqual(await prove(), { passed: CHECKS, failed: 0, output: "" });
      const after = await readMigrations(folder);
      assert.deepEqual(after.slice(0, -1), before, "a migration that is there is never edited");
      assert.equal(after.length, before.length + 1);
    },
  );

  await Deno.remove(folder, { recursive: true });
});
