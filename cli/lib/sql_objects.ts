/** What SQL text creates. */
export interface SqlObject {
  kind: "schema" | "table" | "view" | "function";
  /** Of a schema: its name. */
  schema: string;
  name: string;
  /** Of a function: its arguments without their defaults. */
  args: string;
}

/** Comments, texts and bodies: what a reader of statements looks over. */
const OPAQUE = /--[^\n]*|\/\*[^]*?\*\/|\$(\w*)\$[^]*?\$\1\$|'(?:[^']|'')*'/g;

const KIND =
  /\b(create|drop)\s+(?:or\s+replace\s+)?(?:unlogged\s+)?(?:materialized\s+)?(schema|table|view|function|procedure)\s+/;
const NAME = /(?:if\s+(?:not\s+)?exists\s+)?((?:"?\w+"?\s*\.\s*)?"?\w+"?)/;
const STATEMENT = new RegExp(KIND.source + NAME.source, "gi");

/**
 * The schemas, tables, views and functions that are there after SQL text has run on an empty database, as far as a reader of its
 * statements can tell. A name without a schema is one of `public`.
 */
export function findObjects(sql: string): SqlObject[] {
  const text = sql.replaceAll(OPAQUE, (match) => match.startsWith("-") || match.startsWith("/") ? " " : "''");
  const found = new Map<string, SqlObject>();
  for (const match of text.matchAll(STATEMENT)) {
    const [statement, verb, kindName, fullName] = match as unknown as [string, string, string, string];
    const lower = kindName.toLowerCase();
    const kind = lower === "procedure" ? "function" : lower as SqlObject["kind"];
    const names = fullName.replaceAll(/["\s]/g, "").split(".").reverse();
    const [name = "", schema = kind === "schema" ? name : "public"] = names;
    const args = kind === "function" ? readArguments(text.slice(match.index + statement.length)) : "";
    const group = kind === "table" || kind === "view" ? "relation" : kind;
    const key = `${group} ${schema}.${name}`;
    if (verb.toLowerCase() === "create") found.set(`${key}(${args})`, { kind, schema, name, args });
    else for (const known of [...found.keys()]) if (known.startsWith(`${key}(`)) found.delete(known);
  }
  return [...found.values()];
}

/** The arguments at the beginning of a text, from its parenthesis on, without their defaults. */
function readArguments(text: string): string {
  const open = /^\s*\(/.exec(text);
  if (open === null) return "";
  const args: string[] = [""];
  let depth = 1;
  for (const character of text.slice(open[0].length)) {
    if (character === "(") depth++;
    if (character === ")") depth--;
    if (depth === 0) break;
    if (character === "," && depth === 1) args.push("");
    else args[args.length - 1] += character;
  }
  return args.map((arg) => arg.replace(/\s+default\s[^]*|\s*:?=[^]*/i, "").replaceAll(/\s+/g, " ").trim())
    .filter(Boolean).join(", ");
}
