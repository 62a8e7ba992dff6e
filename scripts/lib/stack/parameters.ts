import type { Handler } from "./gateway.ts";

/** How many parameters of a statement the embedded Postgres's driver can count. */
const MAX_PARAMETERS = 32_767;

/** The fewest bytes that a value of a JSON object takes, with its name: `"a":1,`. */
const MIN_VALUE_BYTES = 6;

/**
 * Puts a limit before Lite's Data API: it sends every value as a parameter, where PostgREST sends all rows as one, and the
 * embedded Postgres answers every later error wrong after a statement with too many.
 */
export function limitValues(dataApi: Handler): Handler {
  return async (request) => {
    if (Number(request.headers.get("content-length") ?? 0) < MAX_PARAMETERS * MIN_VALUE_BYTES) return dataApi(request);
    const { url, method, headers } = request;
    const body = await request.text();
    return refuseTooManyValues(body) ?? dataApi(new Request(url, { method, headers, body }));
  };
}

function refuseTooManyValues(body: string): Response | null {
  const rows = parseOrNull(body);
  if (!Array.isArray(rows)) return null;
  const columns = new Set(rows.flatMap((row) => Object.keys(row ?? {})));
  if (rows.length * columns.size <= MAX_PARAMETERS) return null;
  const message =
    `${rows.length} rows of ${columns.size} columns are more than ${MAX_PARAMETERS} values, the most that the local stack takes`;
  return Response.json({ code: "54000", message, details: null, hint: "Send fewer rows at once." }, { status: 413 });
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
