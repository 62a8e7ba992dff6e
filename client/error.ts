import type { UpsertResult } from "./upsert.ts";

/** What PostgREST, or the network on the way to it, says about a failure. */
export interface Failure {
  message: string;
  code?: string | null;
  details?: string | null;
  hint?: string | null;
}

/** A response of supabase-js, with data or with an error. */
export interface ApiResponse<Data> {
  data: Data | null;
  error: Failure | null;
  status: number;
}

/** A call to the Data API that failed. Its message says which, why, and what to do about it. */
export class PgbarsError extends Error {
  override readonly name = "PgbarsError";
  /** SQLSTATE or PostgREST's `PGRST...`; empty where the failure has neither, such as an unreachable network. */
  readonly code: string;
  readonly details: string | null;
  readonly hint: string | null;
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** For `upsertBars`: what the calls before the failed one did. Undefined for everything else. */
  readonly soFar: UpsertResult | undefined;

  constructor(call: string, failure: Failure, status: number, soFar?: UpsertResult) {
    const code = failure.code ?? "";
    super(
      [
        `${call} failed (${[status || "no answer", code].filter(Boolean).join(", ")}): ${failure.message}`,
        soFar && describe(soFar),
        advise(status, code),
      ].filter(Boolean).join("\n"),
    );
    this.code = code;
    this.details = failure.details ?? null;
    this.hint = failure.hint ?? null;
    this.status = status;
    this.soFar = soFar;
  }
}

/** The data of a response. Throws a {@link PgbarsError}, with what was done before, when the call failed or brought nothing. */
export function unwrap<Data>(call: string, { data, error, status }: ApiResponse<Data>, soFar?: UpsertResult): Data {
  if (error !== null) throw new PgbarsError(call, error, status, soFar);
  if (data === null) throw new PgbarsError(call, { message: "the answer is empty" }, status, soFar);
  return data;
}

function describe({ inserted, updated, unchanged, superseded, refused }: UpsertResult): string {
  return `Before that ${inserted} rows were inserted, ${updated} updated, ${unchanged} found unchanged, ` +
    `${superseded} superseded and ${refused.length} refused. Calling again with all rows is safe.`;
}

function advise(status: number, code: string): string | undefined {
  if (status === 0) return "The Data API cannot be reached: look at the URL and the network.";
  if (code === "57014") return "It took too long: ask for less at a time.";
  if (status === 401 && code !== "42501") return "The key or token is wrong or no longer valid.";
  if (status === 403 || code === "42501") {
    return "This key may not do that: bars are written with a secret key, and read with one or by a role that " +
      "grant_read_access(role) has opened them to.";
  }
  if (status === 404 || /^(PGRST20[0-9]|42883|42P01|42703)$/.test(code)) {
    return "The database does not know what this client calls: apply the migrations of the same version.";
  }
  if (status >= 500 || /^(08|40|53|55P03|57P|PGRST00)/.test(code)) {
    return "This may pass: every call of this client may be repeated.";
  }
}
