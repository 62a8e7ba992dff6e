/** SQLSTATEs that Lite answers as PostgREST does. It answers every other one with 500 and a code of its own, `SUP`. */
const ANSWERED_BY_LITE = /^(42|22|21(?!000)|23502|23503|23505|25006|55|PT|PGRST$)/;

/** Codes of the driver and the system for a connection that failed. */
const NO_CONNECTION = /^(CONNECTION_|CONNECT_TIMEOUT|ECONN|ENOTFOUND|EHOSTUNREACH)/;

/** PostgREST's status by the beginning of the SQLSTATE. The first entry that matches counts; any other SQLSTATE is 400. */
const STATUSES: [beginning: RegExp, status: number][] = [
  [/^(0L|0P|28)/, 403],
  [/^53400/, 500],
  [/^(08|53|57P01)/, 503],
  [/^P0001/, 400],
  [/^(09|21000|25|2D|38|39|3B|40|54|55|57|58|F0|HV|P0|XX)/, 500],
];

/**
 * The error that makes Lite answer as PostgREST does. An error that Lite would answer otherwise takes the form of
 * `raise sqlstate 'PGRST'`, by which a function of the database sets status and body. Any value that is not an error of the
 * database is returned unchanged.
 */
export function toPostgrestError(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return error;
  const { code, message } = error;
  if (NO_CONNECTION.test(code)) {
    return answerWith(503, { code: "PGRST000", message: "Could not connect to the database", details: message });
  }
  if (!/^[0-9A-Z]{5}$/.test(code) || ANSWERED_BY_LITE.test(code)) return error;
  const status = STATUSES.find(([beginning]) => beginning.test(code))?.[1] ?? 400;
  const { detail, hint } = error as { detail?: string; hint?: string };
  return answerWith(status, { code, message, details: detail, hint });
}

function answerWith(status: number, body: Record<string, string | undefined>): Error {
  return Object.assign(new Error(JSON.stringify(body)), {
    code: "PGRST",
    detail: JSON.stringify({ status, headers: {} }),
  });
}
