import type { PostgresVersion } from "../lib/cluster.ts";
import { migrate } from "../lib/migrations.ts";
import { mergeResults, type StepResult } from "../lib/result.ts";
import type { TestContext } from "./context.ts";
import { findFiles } from "./files.ts";
import { openEmbeddedSession, openServerSession, type PgtapSession, resetSession } from "./pgtap_session.ts";
import { countTap } from "./tap.ts";
import { installTestSql } from "./test_sql.ts";

/** Sessions on a server. Each has its own database: in one database, files that write the same rows would wait. */
const SESSIONS = 2;

/** Runs the files of tests/db on one embedded Postgres. */
export async function runPgtapEmbedded(context: TestContext): Promise<StepResult> {
  const session = await openEmbeddedSession();
  try {
    const { db } = session;
    await migrate({
      query: async <T>(sql: string, params: unknown[] = []) => (await db.query<T>(sql, params)).rows,
      exec: session.exec,
      close: session.close,
    });
    await installTestSql(session);
    return await runFiles(session, await findPgtapFiles(context));
  } finally {
    await session.close();
  }
}

/** Runs the files of tests/db on a server. */
export async function runPgtapServer(context: TestContext, version: PostgresVersion): Promise<StepResult> {
  const files = await findPgtapFiles(context);
  const results = await Promise.all(
    Array.from({ length: SESSIONS }, async (_, index) => {
      const share = files.filter((_, position) => position % SESSIONS === index);
      if (share.length === 0) return mergeResults([]);
      const session = await openServerSession(await context.createMigratedDatabase(`pgbars_pgtap_${index}`, version));
      try {
        return await runFiles(session, share);
      } finally {
        await session.close();
      }
    }),
  );
  return mergeResults(results);
}

function findPgtapFiles(context: TestContext): Promise<string[]> {
  return findFiles("tests/db", ".test.sql", context.options.paths);
}

async function runFiles(session: PgtapSession, files: string[]): Promise<StepResult> {
  const results: StepResult[] = [];
  for (const file of files) results.push(await runPgtapText(session, file, await Deno.readTextFile(file)));
  return mergeResults(results);
}

/**
 * Runs the text of one pgTAP file, which has to roll back its work. What it printed before an SQL error counts, and the error
 * counts as one more failure. A file that leaves its transaction open fails, and is rolled back.
 */
export async function runPgtapText(session: PgtapSession, file: string, text: string): Promise<StepResult> {
  const lines: string[] = [];
  let problem: string | undefined;
  try {
    await session.run(text, (line) => lines.push(line));
  } catch (error) {
    problem = describeError(error as ErrorFields, text);
  }
  if (await resetSession(session)) problem ??= "the file left its transaction open: end it with rollback";
  return countTap(file, lines.join("\n"), problem);
}

/** The fields that both drivers give to an error of Postgres. */
interface ErrorFields {
  message: string;
  code?: string;
  position?: string;
  detail?: string;
  hint?: string;
  where?: string;
}

function describeError({ code, message, position, detail, hint, where }: ErrorFields, text: string): string {
  return [
    `ERROR ${code}: ${message}`,
    position && `LINE ${text.slice(0, Number(position)).split("\n").length}`,
    detail && `DETAIL: ${detail}`,
    hint && `HINT: ${hint}`,
    where && `CONTEXT: ${where}`,
  ].filter(Boolean).join("\n");
}
