import type { PostgrestSingleResponse, SupabaseClient } from "@supabase/supabase-js";
import { Refusal } from "./refusal.ts";

/** A client with the rights of `service_role`. */
export type Database = SupabaseClient;

/** How long a caller is asked to wait for the database, in seconds. */
const RETRY_AFTER_SECONDS = 10;

/**
 * What makes a call worth repeating: no connection (08), no room (53), the server going down or coming up (57P),
 * a timeout (57014), a deadlock or a lock not got (40, 55P03), and the Data API without its database (PGRST00x).
 */
const PASSING_CODES = /^(08|53|57P|57014|40|55P03|PGRST00)/;

/** A failure of the database that repeating will not mend; for the function's log, never for its answer. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
}

/**
 * The data of a call to the Data API. Throws a {@link Refusal} with status 503 and Retry-After when the database is
 * away, and a {@link DatabaseError} for whatever else failed.
 */
export function unwrap<Data>({ data, error, status }: PostgrestSingleResponse<Data>): Data {
  if (error === null) return data;
  const isAway = status === 0 || (status >= 502 && status <= 504) || status >= 520;
  if (isAway || PASSING_CODES.test(error.code)) {
    throw new Refusal(503, "database_away", "The database cannot be reached now.", {
      headers: { "Retry-After": String(RETRY_AFTER_SECONDS) },
    });
  }
  throw new DatabaseError(`${error.code}: ${error.message}`);
}
