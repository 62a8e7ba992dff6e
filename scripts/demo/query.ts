import { stringify } from "csv-stringify/sync";
import { type Database, DatabaseError } from "../lib/database.ts";
import { formatValue, renderTable } from "./text.ts";

type Row = Record<string, unknown>;

const rowsPerBatch = 1_000;

/** Rows of any query as a table. Times are UTC; null is shown as such. */
export function renderRows(rows: readonly Row[]): string {
  const [first] = rows;
  if (first === undefined) return "(no row)";
  return renderTable(Object.keys(first), rows.map((row) => Object.values(row).map(formatValue)));
}

/**
 * Writes the rows of a query as CSV, the names of the columns first, a batch at a time as they come. Times are ISO 8601
 * in UTC to the millisecond, null is an empty field, arrays and objects are JSON. Without a row nothing is written.
 * Ends early where the reader has gone; that, and an error, leaves a transaction open, which ends with the session.
 */
export async function writeCsv(db: Database, sql: string, out: WritableStream<Uint8Array>): Promise<void> {
  const encoder = new TextEncoder();
  const writer = out.getWriter();
  let header = true;
  try {
    for await (const rows of readBatches(db, sql)) {
      const text = stringify(rows, {
        header,
        columns: Object.keys(rows[0]!),
        cast: { boolean: String, date: toIso, bigint: String },
      });
      header = false;
      await writer.write(encoder.encode(text));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  } finally {
    writer.releaseLock();
  }
}

const toIso = (date: Date) => date.toISOString();

/** The rows of a query in batches: through a cursor where the statement can have one, otherwise all at once. */
async function* readBatches(db: Database, sql: string): AsyncGenerator<Row[]> {
  await db.exec("begin");
  const hasCursor = await declareCursor(db, sql);
  if (!hasCursor) await db.exec("rollback");
  const read = () => db.query(hasCursor ? `fetch ${rowsPerBatch} from demo_rows` : sql);
  for (let rows = await read(); rows.length > 0; rows = hasCursor ? await read() : []) yield rows;
  if (hasCursor) await db.exec("commit");
}

/** Returns whether the statement can have a cursor, as a select can; `explain` or `update ... returning` cannot. */
async function declareCursor(db: Database, sql: string): Promise<boolean> {
  try {
    await db.query(`declare demo_rows no scroll cursor for ${sql}`);
    return true;
  } catch (error) {
    // Syntax error, and what a cursor does not support. Without a cursor the same statement says what is wrong with it.
    if (error instanceof DatabaseError && ["42601", "0A000"].includes(error.code)) return false;
    throw error;
  }
}
