import { z } from "zod";
import { readMigrations } from "../lib/migrations.ts";
import { mergeResults, oneCheck, type StepResult } from "../lib/result.ts";
import { supabase } from "../lib/supabase.ts";
import { type TestContext, withServer } from "./context.ts";

const pushOutput = z.object({ upToDate: z.boolean(), migrations: z.array(z.string()) });

interface AppliedMigration {
  version: string;
  name: string;
  statements: string[];
}

/** Two checks: the push into an empty database applies every migration, and a second push changes nothing. */
export async function pushTwice(context: TestContext): Promise<StepResult> {
  const { url, push } = await context.pushed();
  const before = await readHistory(url);
  const first = await checkEverythingApplied(before, push.report);

  const again = await supabase(url, ["db", "push"]);
  const unchanged = JSON.stringify(await readHistory(url)) === JSON.stringify(before);
  const upToDate = again.code === 0 && pushOutput.parse(JSON.parse(again.stdout)).upToDate;
  const second = oneCheck(
    upToDate && unchanged,
    `The second push ${unchanged ? "was not a no-op" : "changed the migration history"}.\n${again.report}`,
  );
  return mergeResults([first, second]);
}

async function checkEverythingApplied(history: AppliedMigration[], report: string): Promise<StepResult> {
  const expected = (await readMigrations()).map((migration) => `${migration.version}_${migration.name}`);
  const applied = history.map((migration) => `${migration.version}_${migration.name}`);
  const passed = expected.length > 0 && JSON.stringify(applied) === JSON.stringify(expected);
  const difference = `Files: ${expected.join(", ") || "none"}\nApplied: ${applied.join(", ") || "none"}`;
  return oneCheck(passed, `The first push did not apply every migration.\n${difference}\n${report}`);
}

function readHistory(url: string): Promise<AppliedMigration[]> {
  return withServer(url, (db) =>
    db.query<AppliedMigration>(
      "select m.version, m.name, m.statements from supabase_migrations.schema_migrations m order by m.version",
    ));
}
