import { createClient } from "@supabase/supabase-js";
import { createPgbars, type Pgbars } from "../../client/mod.ts";

export interface ConnectionOptions {
  /** Whose rights requests have, instead of those of the key. */
  userToken?: string;
  /** How many rows the server gives at most, as `max_rows` of a project says. */
  maxRows?: number;
  /** Called before each request with its number, from 0. Its response is the answer where it returns one. */
  onRequest?: (number: number) => Promise<Response | void> | Response | void;
}

export interface Connection extends Pgbars {
  /** What was asked for so far. */
  readonly urls: URL[];
}

/** A client of the project at `url` that tells what it asks for. */
export function connect(
  url: string,
  key: string,
  { userToken, maxRows, onRequest }: ConnectionOptions = {},
): Connection {
  const urls: URL[] = [];
  const watchedFetch: typeof fetch = async (input, init) => {
    const asked = new URL(input instanceof Request ? input.url : input);
    urls.push(asked);
    const limit = asked.searchParams.get("limit");
    if (maxRows !== undefined && limit !== null) {
      asked.searchParams.set("limit", String(Math.min(maxRows, Number(limit))));
    }
    return (await onRequest?.(urls.length - 1)) ?? await fetch(asked, init);
  };
  const client = createClient(url, key, {
    ...(userToken !== undefined && { accessToken: () => Promise.resolve(userToken) }),
    auth: { persistSession: false },
    global: { fetch: watchedFetch },
  });
  return { ...createPgbars(client), urls };
}
