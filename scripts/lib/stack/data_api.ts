import { App } from "@supabase/lite";
import type { Backend } from "./backend.ts";
import type { Handler } from "./gateway.ts";
import type { Keys } from "./keys.ts";

/**
 * Supabase Lite's Data API and sign-in over a migrated database. Where the database has no `auth` schema, that of
 * Lite is made; where Supabase's own is there, users cannot sign in here, and their tokens are not known.
 */
export async function openDataApi(backend: Backend, keys: Keys): Promise<Handler> {
  // Lite would else grant everything on the tables of public to anon and authenticated.
  const connection = Object.assign(backend.connection, { rlsState: "active" });
  const app = new App({
    connection,
    auth: {
      enabled: !(await hasAuthOfSupabase(backend)),
      publishable_key: keys.publishable,
      secret_key: keys.secret,
      jwt_secret: keys.jwtSecret,
    },
    db: { migrations: { enabled: false } },
  });
  await app.ensureSystemSchema();
  shortenLog(connection);
  await backend.listen(() => void connection.clearSchemaCache());
  return (request) => backend.exclusively(() => Promise.resolve(app.fetch(request)));
}

async function hasAuthOfSupabase({ db }: Backend): Promise<boolean> {
  const [row] = await db.query<{ found: boolean }>("select to_regclass('auth.schema_migrations') is not null as found");
  return row!.found;
}

/** Lite logs every statement that the database refuses, on thirty lines each; now on one. */
function shortenLog(connection: Backend["connection"]): void {
  const normalize = connection.normalizeDbError.bind(connection);
  connection.normalizeDbError = (error) => {
    const normalized = normalize(error);
    if (!(normalized instanceof Error)) return normalized;
    const code = "code" in normalized ? ` (${normalized.code})` : "";
    const inspect = () => `Data API: ${normalized.message}${code}`;
    return Object.defineProperty(normalized, Symbol.for("Deno.customInspect"), { value: inspect });
  };
}
