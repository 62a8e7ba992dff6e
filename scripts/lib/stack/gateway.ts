import type { Keys } from "./keys.ts";

export type Handler = (request: Request) => Response | Promise<Response>;

export interface Gateway {
  /** The project's URL for clients. */
  readonly url: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What answers the requests of a gateway. */
export interface GatewayParts {
  dataApi: Handler;
  functions: Handler;
  pages?: Handler | undefined;
}

/** The methods that PostgREST knows. */
const METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"];

/** How long the gateway waits for running requests when it ends, in milliseconds. */
const PATIENCE_MS = 2000;

/**
 * Serves on 127.0.0.1 the parts that a hosted project has behind its URL: `dataApi` at `/rest/v1` and `/auth/v1`,
 * `functions` at `/functions/v1`, and `pages` at any other path. The Data API knows one secret key, so named keys are replaced by it there; functions get
 * them unchanged. Without `pages` another path is a 404. Any method that PostgREST does not know is a 405. Port 0 takes any free port.
 * Throws `Deno.errors.AddrInUse` when the port is taken.
 */
export function serveGateway(parts: GatewayParts, keys: Keys, port = 0): Gateway {
  const named = new Set(Object.values(keys.named));
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, (request) => {
    const { method } = request;
    if (!METHODS.includes(method)) {
      const message = `Unsupported HTTP method: ${method}`;
      return Response.json({ code: "PGRST117", message, details: null, hint: null }, { status: 405 });
    }
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/functions/v1/")) return parts.functions(request);
    if (!/^\/(rest|auth)\/v1(\/|$)/.test(pathname)) {
      return parts.pages?.(request) ?? Response.json({ error: "requested path is invalid" }, { status: 404 });
    }
    return parts.dataApi(
      named.has(request.headers.get("apikey") ?? "") ? withSecretKey(request, keys.secret) : request,
    );
  });
  const end = async () => {
    const { promise: patience, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, PATIENCE_MS);
    await Promise.race([server.shutdown(), patience]);
    clearTimeout(timer);
  };
  return { url: `http://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: end };
}

function withSecretKey(request: Request, secret: string): Request {
  const headers = new Headers(request.headers);
  const bearer = `Bearer ${headers.get("apikey")}`;
  headers.set("apikey", secret);
  if (headers.get("authorization") === bearer) headers.set("authorization", `Bearer ${secret}`);
  return new Request(request.url, { method: request.method, headers, body: request.body });
}
