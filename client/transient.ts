// client/ and functions/_shared/ hold the same file, so that each folder can be used alone.

/**
 * SQLSTATEs of failures that may pass without a change: no connection (08), a deadlock or serialization failure (40), no
 * room (53), an operator or a timeout (57), the system (58), a lock that was not free (55P03), and a row that another
 * session has just stored (23505). `agg.fail_kind` has the same list for the database itself.
 */
const TRANSIENT_SQLSTATE = /^(?:(?:08|40|53|57|58)[0-9A-Z]{3}|55P03|23505)$/;

/**
 * Whether a failed call of the Data API is worth repeating as it is. `status` is that of HTTP, 0 where no answer came;
 * `code` is a SQLSTATE, a code of PostgREST's own, or empty.
 */
export function isTransient(status: number, code: string): boolean {
  return status === 0 || (status >= 502 && status <= 504) || status >= 520 || TRANSIENT_SQLSTATE.test(code);
}
