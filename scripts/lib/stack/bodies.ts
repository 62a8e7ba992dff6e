import { parse } from "csv-parse/sync";
import type { Handler } from "./gateway.ts";

/** How many parameters of a statement the embedded Postgres's driver can count. */
const MAX_PARAMETERS = 32_767;

type Row = Record<string, unknown>;

/**
 * Reads each body in full before Lite's Data API gets it, so that one that comes slowly holds up nobody, and puts right
 * what Lite does with rows: it sends every value as a parameter, where PostgREST sends all rows as one, and the embedded
 * Postgres answers everything wrong after a statement with too many of them, so these are refused; and it stores the
 * default in a column that a row lacks, where PostgREST stores null.
 */
export function readBodies(dataApi: Handler): Handler {
  return async (request) => {
    if (request.body === null) return await dataApi(request);
    const { url, method } = request;
    const headers = new Headers(request.headers);
    const bytes = await request.bytes().catch(() => null);
    if (bytes === null) return new Response(null, { status: 400 });
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

/** The rows of an array or of CSV; null for anything else, of which Lite makes what it will. */
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

/** What supabase-js sends with an array: the columns that its rows have together. */
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
  return Response.json({ code: "54000", message, details: null, hint: "Send fewer rows at once." }, { status: 413 });
}
