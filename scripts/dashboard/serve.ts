import { extname } from "node:path";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
};

/**
 * Serves the files of the dashboard, which may still be in the making, and `config.json`, whose project
 * is that of the page's own origin. The page may not be shown in a frame.
 */
export function serveDashboard(
  files: Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>>,
  config: { key: string; refresh_seconds?: number },
): (request: Request) => Promise<Response> {
  return async (request) => {
    const name = new URL(request.url).pathname.slice(1) || "index.html";
    const body = name === "config.json" ? JSON.stringify(config) : (await files).get(name);
    if (body === undefined || !["GET", "HEAD"].includes(request.method)) {
      return Response.json({ error: "requested path is invalid" }, { status: 404 });
    }
    return new Response(request.method === "HEAD" ? null : body, {
      headers: {
        "content-type": TYPES[extname(name)] ?? "application/octet-stream",
        "cache-control": "no-cache",
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
      },
    });
  };
}
