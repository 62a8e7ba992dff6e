import { App } from "@supabase/lite";
import type { Backend } from "./backend.ts";
import { readBodies } from "./bodies.ts";
import { toPostgrestError } from "./errors.ts";
import { quoteFilters } from "./filters.ts";
import type { Handler } from "./gateway.ts";
import type { Keys } from "./keys.ts";
import { checkTokens } from "./tokens.ts";
import { describeError } from "../../../cli/lib/error.ts";

/**
 * Supabase Lite's Data API and sign-in over a migrated database. Where the database has no `auth` schema, Lite creates its
 * own. Where it has Supabase's, users cannot sign in here, and their tokens are refused.
 */
export async function openDataApi(backend: Backend, keys: Keys): Promise<Handler> {
  // Without this, Lite grants everything on the tables of public to anon and authenticated.
  const connection = Object.assign(backend.connection, { rlsState: "active" });
  const signIn = !(await hasAuthOfSupabase(backend));
  const app = new App({
    connection,
    auth: {
      enabled: signIn,
      publishable_key: keys.publishable,
      secret_key: keys.secret,
      jwt_secret: keys.jwtSecret,
    },
    api: { schemas: ["public"], pg_safe_update: true },
    db: { migrations: { enabled: false } },
  });
  await app.ensureSystemSchema();
  answerErrorsAsPostgrest(connection);
  await backend.listen(() => void connection.clearSchemaCache());
  const inTurn: Handler = (request) =>
    backend.exclusively(async () => await refuseUnreadable(connection) ?? await app.fetch(request));
  const answer = checkTokens(quoteFilters(readBodies(inTurn)));
  return (request) =>
    signIn || !new URL(request.url).pathname.startsWith("/auth/v1") ? answer(request) : refuseSignIn();
}

function refuseSignIn(): Response {
  const answer = { code: 404, error_code: "no_sign_in", msg: "The auth schema of this database is Supabase's own" };
  return Response.json(answer, { status: 404 });
}

async function hasAuthOfSupabase({ db }: Backend): Promise<boolean> {
  const [row] = await db.query<{ found: boolean }>("select to_regclass('auth.schema_migrations') is not null as found");
  return row!.found;
}

/**
 * PostgREST's answer where the schema of the database cannot be read, else null. Lite would take it for a database without
 * tables.
 */
async function refuseUnreadable(connection: Backend["connection"]): Promise<Response | null> {
  try {
    const { tables } = await connection.introspect({ useCache: true });
    if (tables.length === 0) await connection.exec("select 1");
    return null;
  } catch {
    const message = "Could not query the database for the schema cache. Retrying.";
    return Response.json({ code: "PGRST002", message, details: null, hint: null }, { status: 503 });
  }
}

/** Makes Lite answer errors as PostgREST does, and log each on one line instead of thirty. */
function answerErrorsAsPostgrest(connection: Backend["connection"]): void {
  connection.normalizeDbError = (error) => {
    const answered = toPostgrestError(error);
    if (!(answered instanceof Error)) return answered;
    const inspect = () => `Data API: ${describeError(error)}`;
    return Object.defineProperty(answered, Symbol.for("Deno.customInspect"), { value: inspect });
  };
}
