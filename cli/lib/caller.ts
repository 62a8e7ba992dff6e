import { codeOf, openDatabase } from "./database.ts";
import { describeError } from "./error.ts";
import { Failure } from "./failure.ts";
import type { Target } from "./options.ts";

/** Calls functions of the schema public, over a session or over the Data API. */
export interface Caller {
  /** The rows that a function returns for arguments by name. Throws a {@link Failure} when the call fails. */
  call<Row>(name: string, args?: Arguments): Promise<Row[]>;
  close(): Promise<void>;
}

/** Arguments of a function by their names. Those that are undefined are left to their defaults. */
export type Arguments = Record<string, string | number | boolean | readonly string[] | object | undefined>;

/** How long the Data API may take for a call, in milliseconds: longer than functions of pgbars limit themselves to. */
const TIME_LIMIT_MS = 90_000;

/** Throws a {@link Failure} when the target cannot be reached. */
export async function openCaller(target: Target): Promise<Caller> {
  if (!("db" in target)) {
    return {
      call: (name, args) => callDataApi(target, name, args),
      close: () => Promise.resolve(),
    };
  }
  const db = await openDatabase(target.db);
  return {
    call: async <Row>(name: string, args: Arguments = {}) => {
      const given = Object.entries(args).filter(([, value]) => value !== undefined);
      const list = given.map(([argument], index) => `${argument} => $${index + 1}`).join(", ");
      try {
        return await db.query<Row>(
          `select * from public.${name}(${list})`,
          given.map(([, value]) => toParameter(value)),
        );
      } catch (cause) {
        throw codeOf(cause) === "42883"
          ? unknownFunction(name)
          : new Failure(`${name}() failed: ${describeError(cause)}`);
      }
    },
    close: () => db.close(),
  };
}

/** A value as Postgres reads it for the type of the parameter. */
function toParameter(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return `{${value.map((item) => `"${String(item).replaceAll(/["\\]/g, "\\$&")}"`).join(",")}}`;
}

async function callDataApi<Row>(
  { url, key }: { url: string; key: string },
  name: string,
  args: Arguments = {},
): Promise<Row[]> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${url.replace(/\/+$/, "")}/rest/v1/rpc/${name}`, {
      method: "POST",
      headers: { apikey: key, authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(args),
      signal: AbortSignal.timeout(TIME_LIMIT_MS),
    });
    text = await response.text();
  } catch (cause) {
    // The message of fetch says only that it failed; its cause says why.
    const reason = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
    throw new Failure(`Cannot reach the Data API at ${url}: ${describeError(reason)}`);
  }
  const answer = parse(text);
  if (Array.isArray(answer)) return answer;
  const { code, message } = (answer ?? {}) as { code?: string; message?: string };
  if (code === "PGRST202" || code === "42883") throw unknownFunction(name);
  throw new Failure(`${name}() failed with status ${response.status}: ${message ?? text.slice(0, 200)}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unknownFunction(name: string): Failure {
  return new Failure(
    `The database has no function ${name}: bring it to this version first (pgbars install, pgbars migrate).`,
  );
}
