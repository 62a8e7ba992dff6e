import { arrayLiteral } from "./array_literal.ts";
import { type DataApi, describeAnswer, requestDataApi } from "./data_api.ts";
import { codeOf, openDatabase } from "./database.ts";
import { describeRefusal } from "./error.ts";
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
          given.map(([, value]) => Array.isArray(value) ? arrayLiteral(value) : value),
        );
      } catch (cause) {
        throw codeOf(cause) === "42883"
          ? unknownFunction(name)
          : new Failure(`${name}() failed: ${describeRefusal(cause)}`);
      }
    },
    close: () => db.close(),
  };
}

async function callDataApi<Row>(api: DataApi, name: string, args: Arguments = {}): Promise<Row[]> {
  const answer = await requestDataApi(api, `rpc/${name}`, JSON.stringify(args));
  if (Array.isArray(answer.value)) return answer.value;
  const { code } = (answer.value ?? {}) as { code?: string };
  if (code === "PGRST202" || code === "42883") throw unknownFunction(name);
  throw new Failure(`${name}() failed with ${describeAnswer(answer)}`);
}

function unknownFunction(name: string): Failure {
  return new Failure(
    `The database has no function ${name}: bring it to this version first (pgbars install, pgbars migrate).`,
  );
}
