import type { Database } from "../../scripts/lib/database.ts";
import type { Stack } from "../support/stack.ts";

/** A request to the Data API that its role may or may not be allowed to make. */
export interface Attempt {
  /** What it would do, e.g. `update data_bars`. */
  name: string;
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** How Postgres names what is used, e.g. `table data_bars`. */
  target: string;
}

/** Whom a request is made as: the publishable key alone, or with the token of a signed-in user, or the secret key. */
export interface Caller {
  key: string;
  token?: string;
}

/** Every use of every table and view and every call of every function of `public`, as the catalog knows them. */
export async function everyAttempt(db: Database): Promise<Attempt[]> {
  const relations = await db.query<Relation>(`
    select c.relname as name, a.attname as column,
      case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end as kind
    from pg_class as c
    join pg_attribute as a on a.attrelid = c.oid and a.attnum = 1
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
    order by 1
  `);
  const functions = await db.query<{ name: string; arguments: string[] }>(`
    select p.proname as name, coalesce(p.proargnames[:p.pronargs], '{}') as arguments
    from pg_proc as p
    where p.pronamespace = 'public'::regnamespace and p.prorettype <> 'trigger'::regtype
    order by 1
  `);
  return [
    ...relations.flatMap(attemptsOnRelation),
    ...functions.map(({ name, arguments: names }) => ({
      name: `call ${name}`,
      method: "POST",
      path: `rpc/${name}`,
      target: `function ${name}`,
      body: Object.fromEntries(names.map((argument) => [argument, null])),
    })),
  ];
}

interface Relation {
  name: string;
  /** Its first column. */
  column: string;
  kind: string;
}

function attemptsOnRelation({ name, column, kind }: Relation): Attempt[] {
  const allRows = `${name}?${column}=not.is.null`;
  const row = { [column]: null };
  const merge = { prefer: "resolution=merge-duplicates" };
  return [
    { name: `select ${name}`, method: "GET", path: name },
    { name: `select one column of ${name}`, method: "GET", path: `${name}?select=${column}` },
    { name: `count ${name}`, method: "GET", path: name, headers: { prefer: "count=exact" } },
    { name: `insert ${name}`, method: "POST", path: name, body: row },
    { name: `upsert ${name}`, method: "POST", path: name, body: row, headers: merge },
    { name: `update ${name}`, method: "PATCH", path: allRows, body: row },
    { name: `delete ${name}`, method: "DELETE", path: allRows },
  ].map((one) => ({ ...one, target: `${kind} ${name}` }));
}

/** Makes a request of the Data API; `code` and `message` are the error's, `body` is what was answered. */
export async function attempt(
  { url }: Stack,
  caller: Caller,
  { method, path, body, headers }: Pick<Attempt, "method" | "path" | "body" | "headers">,
) {
  const response = await fetch(`${url}/rest/v1/${path}`, {
    method,
    headers: {
      "content-type": "application/json",
      ...headers,
      apikey: caller.key,
      ...(caller.token !== undefined && { authorization: `Bearer ${caller.token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = text === "" ? null : JSON.parse(text);
  return { status: response.status, code: answer?.code as string, message: answer?.message as string, body: answer };
}

/** Names of the attempts that are not refused for want of a grant, with what was answered instead. */
export async function notRefused(stack: Stack, caller: Caller, attempts: Attempt[]): Promise<string[]> {
  const refusal = caller.token === undefined ? 401 : 403;
  const found: string[] = [];
  for (const one of attempts) {
    const { status, code, message } = await attempt(stack, caller, one);
    // Of what is granted, row level security and the tables behind a function may still refuse a part, with the same code.
    const isRefused = status === refusal && code === "42501" && message === `permission denied for ${one.target}`;
    if (!isRefused) found.push(`${one.name}: ${status < 300 ? status : message}`);
  }
  return found;
}
