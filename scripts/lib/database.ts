import { PGlite, types as pgliteTypes } from "@electric-sql/pglite";
import postgres from "postgres";
import { lockFolder } from "./folder.ts";
import { socketFolder, withoutSocketFolder } from "../../cli/lib/server_url.ts";

/**
 * One session of a Postgres, embedded or served. Both kinds give the same JavaScript values:
 * `timestamptz` and `date` are a Date, `bigint` is a number where it is a safe integer and a bigint otherwise,
 * `numeric` is a string, `json` is parsed, SQL null is null. The session's time zone is UTC.
 * Use `timestamptz` in queries: a `timestamp` without zone is read in the time zone of this process.
 *
 * Parameters: a Date is a timestamptz, an array is a Postgres array (cast it: `$1::float8[]`), null and undefined
 * are SQL null. For a `json` parameter a string is taken as JSON text; anything else is turned into JSON.
 *
 * Every method rejects with a {@link DatabaseError} when Postgres refuses the statement.
 */
export interface Database {
  /** Runs one statement with `$1` parameters and returns its rows. A procedure that commits may be called here. */
  query<T = Record<string, unknown>>(sql: string, params?: unknown[]): Promise<T[]>;
  /** Runs any number of statements without parameters, in one implicit transaction. */
  exec(sql: string): Promise<void>;
  /** Ends the session. An embedded database without a folder is gone afterwards. */
  close(): Promise<void>;
}

/** What Postgres said when it refused a statement; `code` is the SQLSTATE. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly code: string;
  readonly detail: string | null;
  readonly hint: string | null;
  readonly constraint: string | null;

  constructor(message: string, fields: ErrorFields, options?: ErrorOptions) {
    super(message, options);
    this.code = fields.code ?? "XX000";
    this.detail = fields.detail ?? null;
    this.hint = fields.hint ?? null;
    this.constraint = fields.constraint ?? fields.constraint_name ?? null;
  }
}

interface ErrorFields {
  code?: string;
  detail?: string;
  hint?: string;
  constraint?: string;
  constraint_name?: string;
}

/**
 * Starts a Postgres inside this process. Without `dataDir` it lives in memory; with it, the folder is created where
 * it is missing, and kept. Rejects when another process has the folder open (on Windows this goes unnoticed).
 */
export async function openEmbedded(dataDir?: string): Promise<Database> {
  const lock = dataDir === undefined ? undefined : await lockFolder(dataDir);
  const pglite = await PGlite.create(dataDir === undefined ? {} : { dataDir });
  await pglite.exec("set timezone to 'UTC'");
  return {
    query: <T>(sql: string, params: unknown[] = []) =>
      translateErrors(async () => (await pglite.query<T>(sql, params.map((value) => value ?? null))).rows),
    exec: (sql) => translateErrors(async () => void await pglite.exec(sql)),
    close: async () => {
      await pglite.close();
      lock?.[Symbol.dispose]();
    },
  };
}

/**
 * Opens one session on a server. `url` is a `postgres://` or `postgresql://` connection string; a socket folder is
 * given as `?host=/folder` or as a percent-encoded host. Notices are dropped unless `onNotice` takes them.
 * Rejects when the server cannot be reached.
 */
export async function openServer(
  url: string,
  options: { onNotice?: (message: string) => void } = {},
): Promise<Database> {
  const sql = postgres(withoutSocketFolder(url), {
    ...socketFolder(url),
    max: 1,
    max_lifetime: null,
    prepare: false,
    onnotice: (notice) => options.onNotice?.(notice["message"] ?? ""),
    connection: { TimeZone: "UTC", application_name: "pgbars" },
    fetch_types: false,
    types: serverTypes,
  });
  try {
    await sql`select 1`;
  } catch (cause) {
    await sql.end({ timeout: 0 });
    throw cause;
  }
  return {
    query: <T>(text: string, params: unknown[] = []) =>
      translateErrors(async () => {
        const values = params.map(toServerParameter) as postgres.ParameterOrJSON<never>[];
        return [...await sql.unsafe(text, values, { simple: false } as postgres.UnsafeQueryOptions)] as T[];
      }),
    exec: (text) => translateErrors(async () => void await sql.unsafe(text).simple()),
    close: () => sql.end({ timeout: 5 }),
  };
}

const serverTypes = {
  bigint: {
    to: 20,
    from: [20],
    serialize: (value: number | bigint | string) => String(value),
    parse: pgliteTypes.parsers[20]!,
  },
  json: {
    to: 114,
    from: [114, 3802],
    serialize: (value: unknown) => typeof value === "string" ? value : JSON.stringify(value),
    parse: JSON.parse,
  },
  date: {
    to: 1184,
    from: [1082, 1114, 1184],
    serialize: (value: Date | string) => value instanceof Date ? value.toISOString() : value,
    parse: (text: string) => new Date(text),
  },
  ...arrayTypes({ 1000: 16, 1005: 21, 1007: 23, 1016: 20, 1022: 701, 1009: 25, 1015: 25, 1185: 1184 }),
};

// postgres.js reads a null inside an array as the text "NULL".
function arrayTypes(elementOf: Record<number, number>): Record<string, postgres.PostgresType> {
  return Object.fromEntries(
    Object.entries(elementOf).map(([array, element]) => [`array${array}`, {
      to: Number(array),
      from: [Number(array)],
      serialize: (literal: string) => literal,
      parse: (text: string) => pgliteTypes.arrayParser(text, pgliteTypes.parsers[element]!, Number(array)),
    }]),
  );
}

// postgres.js guesses an array's type from its first element and sends a Date[] as one timestamptz.
function toServerParameter(value: unknown): unknown {
  if (!Array.isArray(value)) return value ?? null;
  const toText = (element: unknown) => element instanceof Date ? element.toISOString() : String(element);
  return pgliteTypes.arraySerializer(value, toText, 0);
}

/** What `run` resolves to; an error of Postgres becomes a {@link DatabaseError}, whichever driver brings it. */
export async function translateErrors<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (!(cause instanceof Error) || !("severity" in cause)) throw cause;
    throw new DatabaseError(cause.message, cause as ErrorFields, { cause });
  }
}
