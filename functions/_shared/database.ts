import type { PostgrestSingleResponse, SupabaseClient } from "@supabase/supabase-js";
import { Refusal } from "./refusal.ts";
import { isTransient } from "./transient.ts";

/** A client with the rights of `service_role`. */
export type Database = SupabaseClient;

/** How long a caller is asked to wait before it repeats a call, in seconds. */
const RETRY_AFTER_SECONDS = 10;

/** A failure of the database that repeating the call will not fix. It is for the function's log, never for its answer. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
}

/**
 * The data of a call to the Data API. Throws a {@link Refusal} with status 503 and Retry-After for a failure that may pass,
 * such as a database that cannot be reached, and a {@link DatabaseError} for any other.
 */
export function unwrap<Data>({ data, error, status }: PostgrestSingleResponse<Data>): Data {
  if (error === null) return data;
  if (isTransient(status, error.code)) {
    throw new Refusal(503, "database_away", "The database is not available now; send the request again later.", {
      headers: { "Retry-After": String(RETRY_AFTER_SECONDS) },
    });
  }
  throw new DatabaseError(`${error.code}: ${error.message}`);
}
