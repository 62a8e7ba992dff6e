import type { Handler } from "./gateway.ts";

/** The roles that the platform lets PostgREST set. */
const ROLES: unknown[] = ["anon", "authenticated", "service_role"];

/**
 * Refuses two kinds of tokens as PostgREST does: text that is not a token, for which Lite answers as `anon`, and a token for
 * a role that is not a client's, which Lite would set. Lite checks the signature. Keys pass.
 */
export function checkTokens(dataApi: Handler): Handler {
  return (request) => {
    const [, token] = /^Bearer\s+(.*)$/.exec(request.headers.get("authorization") ?? "") ?? [];
    if (token === undefined || token.startsWith("sb_") || !new URL(request.url).pathname.startsWith("/rest/v1")) {
      return dataApi(request);
    }
    const parts = token.trim().split(".").filter((part) => part !== "");
    if (parts.length !== 3) return refuse(401, "PGRST301", `Expected 3 parts in JWT; got ${parts.length}`);
    const role = readRole(parts[1]!);
    if (!ROLES.includes(role)) return refuse(403, "42501", `permission denied to set role "${role}"`);
    return dataApi(request);
  };
}

/** The role in the claims of a token, by default `anon`. Lite refuses claims that cannot be read. */
function readRole(claims: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(claims, { alphabet: "base64url" }))).role ??
      "anon";
  } catch {
    return "anon";
  }
}

function refuse(status: number, code: string, message: string): Response {
  return Response.json({ code, message, details: null, hint: null }, { status });
}
