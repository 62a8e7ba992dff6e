import { parse } from "csv-parse/sync";
import type { Handler } from "./gateway.ts";

/** Parameters of a statement that the driver of the embedded Postgres can count. */
const MAX_PARAMETERS = 32_767;

/** Levels of JSON that are safe here. The embedded Postgres gives no error from about 6,000 levels on, and no rows. */
const MAX_LEVELS = 4000;

type Row = Record<string, unknown>;

/**
 * Reads each body in full before Lite's Data API gets it, so that a slow one does not hold up other requests. It changes
 * three things that Lite does with bodies:
 * - Lite sends every value as a parameter, where PostgREST sends all rows as one. The embedded Postgres gives wrong answers
 *   after a statement with too many parameters, so these are refused.
 * - Lite stores the default in a column that a row lacks, where PostgREST stores null.
 * - JSON of too many levels is lost without an error. It is refused here with the error of Postgres.
 */
export function readBodies(dataApi: Handler): Handler {
  return async (request) => {
    if (request.body === null) return await dataApi(request);
    const { url, method } = request;
    const headers = new Headers(request.headers);
    const bytes = await request.bytes().catch(() => null);
    if (bytes === null) return new Response(null, { status: 400 });
    if (countLevels(bytes) > MAX_LEVELS) return refuse(500, "54001", "stack depth limit exceeded", null);
    const { pathname, searchParams } = new URL(url);
    const isInsert = method === "POST" && !pathname.startsWith("/rest/v1/rpc/");
    const rows = isInsert ? readRows(new TextDecoder().decode(bytes), headers) : null;
    if (rows === null) return await dataApi(new Request(url, { method, headers, body: bytes }));

    const columns = readColumns(searchParams);
    if (columns !== null && !/\bmissing=default\b/.test(headers.get("prefer") ?? "")) fillColumns(rows, columns);
    const refusal = refuseTooManyValues(rows);
    if (refusal !== null) return refusal;
    headers.set("content-type", "application/json");
    headers.delete("content-length");
    return await dataApi(new Request(url, { method, headers, body: JSON.stringify(rows) }));
  };
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
/** By how much a byte outside a string of JSON changes the level: brackets and braces. */
const LEVEL_CHANGES = new Map([[0x5b, 1], [0x7b, 1], [0x5d, -1], [0x7d, -1]]);

/** The deepest level of arrays and objects in JSON; of other text it is some number. */
function countLevels(bytes: Uint8Array): number {
  let [level, deepest, inString] = [0, 0, false];
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]!;
    if (byte === QUOTE) inString = !inString;
    else if (!inString) deepest = Math.max(deepest, level += LEVEL_CHANGES.get(byte) ?? 0);
    else if (byte === BACKSLASH) index++;
  }
  return deepest;
}

/** The rows of an array or of CSV; null for anything else, which Lite reads itself. */
function readRows(text: string, headers: Headers): Row[] | null {
  try {
    const isCsv = /^text\/csv\b/i.test(headers.get("content-type") ?? "");
    const rows: unknown = isCsv
      ? parse(text, { columns: true, cast: (value) => value === "NULL" ? null : value })
      : JSON.parse(text);
    return Array.isArray(rows) && rows.every(isRow) ? rows : null;
  } catch {
    return null;
  }
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The union of the rows' columns, which supabase-js sends with an array; null where it is absent. */
function readColumns(params: URLSearchParams): string[] | null {
  return params.get("columns")?.split(",").map((name) => name.replace(/^"(.*)"$/, "$1")) ?? null;
}

function fillColumns(rows: Row[], columns: string[]): void {
  for (const row of rows) {
    for (const column of columns) row[column] ??= null;
  }
}

function refuseTooManyValues(rows: Row[]): Response | null {
  const columns = new Set(rows.flatMap((row) => Object.keys(row)));
  if (rows.length * columns.size <= MAX_PARAMETERS) return null;
  const message =
    `${rows.length} rows of ${columns.size} columns are more than ${MAX_PARAMETERS} values, the most that the local stack takes`;
  return refuse(413, "54000", message, "Send fewer rows at once.");
}

function refuse(status: number, code: string, message: string, hint: string | null): Response {
  return Response.json({ code, message, details: null, hint }, { status });
}
