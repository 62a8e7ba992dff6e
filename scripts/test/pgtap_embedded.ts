import { PGlite, protocol } from "@electric-sql/pglite";
import { pgtap } from "@electric-sql/pglite-pgtap";
import { migrate } from "../lib/migrations.ts";
import { mergeResults, type StepResult } from "../lib/result.ts";
import type { TestContext } from "./context.ts";
import { findPgtapFiles, pgtapSetup } from "./pgtap.ts";
import { countTap } from "./tap.ts";
import { installTestSql } from "./test_sql.ts";

/** Runs every pgTAP file on one embedded Postgres that has the migrations; each file rolls back what it did. */
export async function runPgtapEmbedded(context: TestContext): Promise<StepResult> {
  const files = await findPgtapFiles(context);
  const db = await openWithPgtap();
  try {
    await migrate({
      query: async <T>(sql: string, params: unknown[] = []) => (await db.query<T>(sql, params)).rows,
      exec: async (sql) => void await db.exec(sql),
      close: () => db.close(),
    });
    await installTestSql({ exec: async (sql) => void await db.exec(sql) });
    const results: StepResult[] = [];
    for (const file of files) results.push(await runPgtapText(db, file, await Deno.readTextFile(file)));
    return mergeResults(results);
  } finally {
    await db.close();
  }
}

/** An embedded Postgres in memory on which pgTAP files run as they do on a server. */
export async function openWithPgtap(): Promise<PGlite> {
  const db = await PGlite.create({ extensions: { pgtap } });
  await db.exec("set timezone to 'UTC'");
  await db.exec(pgtapSetup("postgres"));
  return db;
}

/**
 * Runs the text of one pgTAP file. What it printed before an SQL error counts too, and the error as one failure more. A file
 * that leaves its transaction open fails, and is rolled back.
 */
export async function runPgtapText(db: PGlite, file: string, text: string): Promise<StepResult> {
  const { messages } = await db.execProtocol(protocol.serialize.query(text), { throwOnError: false });
  const lines: string[] = [];
  let error: string | undefined;
  for (const message of messages) {
    if (message instanceof protocol.messages.DataRowMessage) lines.push(message.fields.join("|"));
    else if (message instanceof protocol.messages.DatabaseError) error = describeError(message, text);
    else if (message instanceof protocol.messages.ReadyForQueryMessage && message.status !== "I") {
      error ??= "the file left its transaction open: end it with rollback";
    }
  }
  await db.exec("rollback; reset all; set timezone to 'UTC'; set search_path = public, extensions");
  return countTap(file, lines.join("\n"), error);
}

function describeError(error: InstanceType<typeof protocol.messages.DatabaseError>, text: string): string {
  const line = error.position ? text.slice(0, Number(error.position)).split("\n").length : undefined;
  return [
    `ERROR ${error.code}: ${error.message}`,
    line && `LINE ${line}`,
    error.detail && `DETAIL: ${error.detail}`,
    error.hint && `HINT: ${error.hint}`,
    error.where && `CONTEXT: ${error.where}`,
  ].filter(Boolean).join("\n");
}
