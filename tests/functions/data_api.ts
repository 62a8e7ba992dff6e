import { KEYS } from "./function_server.ts";

export interface DataApi {
  readonly url: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Serves a Data API that knows one secret key to clients that hold named ones, as the platform's gateway does. */
export function serveDataApi(fetch: (request: Request) => Response | Promise<Response>): DataApi {
  const named = new Set(Object.values(KEYS.named));
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const headers = new Headers(request.headers);
    if (named.has(headers.get("apikey") ?? "")) {
      headers.set("apikey", KEYS.secret);
      headers.set("authorization", `Bearer ${KEYS.secret}`);
    }
    return fetch(new Request(request.url, { method: request.method, headers, body: request.body }));
  });
  return { url: `http://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}
