import { type Database, unwrap } from "../_shared/database.ts";

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** How long the database may take, in milliseconds. */
const TIME_LIMIT_MS = 30_000;

/** The metrics of the database, as Prometheus reads them. Throws a Refusal with status 503 when the database is away. */
export async function readMetrics(database: Database, timeLimitMs = TIME_LIMIT_MS): Promise<string> {
  return unwrap(await database.rpc("agg_metrics").abortSignal(AbortSignal.timeout(timeLimitMs)));
}

/** Lets a key come as a bearer token, since many versions of Prometheus cannot send the header `apikey`. */
export function takeBearer(request: Request): Request {
  const [, key] = /^Bearer (sb_secret_\S+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
  if (key === undefined || request.headers.has("apikey")) return request;
  const headers = new Headers(request.headers);
  headers.delete("authorization");
  headers.set("apikey", key);
  return new Request(request, { headers });
}
