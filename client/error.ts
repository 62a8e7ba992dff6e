import type { UpsertResult } from "./bar_input.ts";
import { isTransient } from "./transient.ts";

/** What PostgREST, or the network on the way to it, says about a failure. */
export interface Failure {
  message: string;
  code?: string | null;
  details?: string | null;
  hint?: string | null;
}

/** A call to the Data API that failed. Its message says which call, why, and what to do about it. */
export class PgbarsError extends Error {
  override readonly name = "PgbarsError";
  /** SQLSTATE or PostgREST's `PGRST...`; empty where the failure has neither, such as an unreachable network. */
  readonly code: string;
  readonly details: string | null;
  readonly hint: string | null;
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  /** For `upsertBars`: what the batches before the failed one did. Undefined for every other call. */
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

function describe({ inserted, updated, unchanged, superseded, refused }: UpsertResult): string {
  return `Before that ${inserted} rows were inserted, ${updated} updated, ${unchanged} found unchanged, ` +
    `${superseded} superseded and ${refused.length} refused. It is safe to call again with all rows.`;
}

function advise(status: number, code: string): string | undefined {
  if (status === 0) return "The Data API cannot be reached: check the URL and the network.";
  if (code === "57014") return "The call took too long: ask for less at a time.";
  if (status === 401 && code !== "42501") return "The key or token is wrong or no longer valid.";
  if (status === 403 || code === "42501") {
    return "This key may not do that. Writing bars needs a secret key. Reading them needs a secret key, or a role that " +
      "grant_read_access(role) has opened bars to.";
  }
  if (status === 404 || /^(PGRST20[0-9]|42883|42P01|42703)$/.test(code)) {
    return "The database does not know what this client calls: apply the migrations of the same version.";
  }
  if (isTransient(status, code)) {
    return "The cause may pass: try again later. Every call of this client may be repeated.";
  }
}
