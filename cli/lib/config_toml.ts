import { isDeepStrictEqual } from "node:util";
import { parse, type TomlTable } from "smol-toml";
import { describeError } from "./error.ts";
import { Refusal } from "./failure.ts";

const REASON = "# It checks a named secret key itself: the platform asks for no JWT.";

/**
 * The text of a config.toml in which the platform checks no JWT for the functions `names`. Every other line stays as it is.
 * Throws a {@link Refusal} where the text says so in a form that cannot be edited safely.
 */
export function addFunctions(text: string, names: readonly string[]): string {
  return names.reduce(addFunction, text);
}

/** The text of a config.toml without the sections of the functions `names`. Throws as {@link addFunctions} does. */
export function removeFunctions(text: string, names: readonly string[]): string {
  return names.reduce(removeFunction, text);
}

/** The settings of a function, as the text has them; undefined where it has none. */
export function readFunction(text: string, name: string): TomlTable | undefined {
  const functions = read(text)["functions"] as TomlTable | undefined;
  return functions?.[name] as TomlTable | undefined;
}

function addFunction(text: string, name: string): string {
  const settings = readFunction(text, name);
  if (settings?.["verify_jwt"] === false) return text;
  const end = endOfLine(text);
  const setting = `verify_jwt = false${end}`;
  let edited: string;
  if (settings === undefined) {
    const gap = text === "" ? "" : text.endsWith("\n") ? end : end + end;
    edited = `${text}${gap}[functions.${name}]${end}${REASON}${end}${setting}`;
  } else {
    const [before, section, after] = split(text, name);
    edited = before + (settings["verify_jwt"] === undefined
      ? section.replace(/^[^\n]*\n?/, (header) =>
        `${header.trimEnd()}${end}${setting}`)
      : section.replace(/^([ \t]*verify_jwt[ \t]*=[ \t]*)\w+/m, "$1false")) +
      after;
  }
  const expected = read(text);
  const functions = (expected["functions"] ??= {}) as TomlTable;
  functions[name] = { ...settings, verify_jwt: false };
  return checked(edited, expected, `add "[functions.${name}]" with "verify_jwt = false"`);
}

function removeFunction(text: string, name: string): string {
  if (readFunction(text, name) === undefined) return text;
  const [before, section, after] = split(text, name);
  const lines = section.split(/(?<=\n)/);
  // Blank lines and comments at the end of a section belong to what follows.
  const last = lines.findLastIndex((line) => !/^(#|$)/.test(line.trim()) || line.trimEnd() === REASON);
  const rest = lines.slice(last + 1).join("").replace(/^\s*\n/, "") + after;
  const edited = rest === "" ? before.replace(/(\r?\n)\s*$/, "$1") : before + rest;
  const expected = read(text);
  const functions = expected["functions"] as TomlTable;
  delete functions[name];
  if (Object.keys(functions).length === 0) delete expected["functions"];
  return checked(edited, expected, `remove "[functions.${name}]"`);
}

/** What stands before a function's section, the section from its header on, and what follows. */
function split(text: string, name: string): [string, string, string] {
  const header = new RegExp(`^[ \\t]*\\[[ \\t]*functions[ \\t]*\\.[ \\t]*(["']?)${name}\\1[ \\t]*\\]`, "m").exec(text);
  // Another form, such as an inline table: the caller finds out that nothing has changed.
  if (header === null) return [text, "", ""];
  const body = header.index + header[0].length;
  const next = /^[ \t]*\[/m.exec(text.slice(body));
  const end = next === null ? text.length : body + next.index;
  return [text.slice(0, header.index), text.slice(header.index, end), text.slice(end)];
}

function endOfLine(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

function read(text: string): TomlTable {
  try {
    return parse(text);
  } catch (error) {
    throw new Refusal(`supabase/config.toml cannot be read: ${describeError(error)}`);
  }
}

/** The edited text, where it says what it should. */
function checked(edited: string, expected: TomlTable, what: string): string {
  let actual: TomlTable | undefined;
  try {
    actual = parse(edited);
  } catch {
    actual = undefined;
  }
  if (isDeepStrictEqual(plain(actual), plain(expected))) return edited;
  throw new Refusal(
    `supabase/config.toml has a form that pgbars does not edit. Please ${what} by hand, and run again.`,
  );
}

function plain(value: unknown): unknown {
  return value === undefined
    ? undefined
    : JSON.parse(JSON.stringify(value, (_, item) => typeof item === "bigint" ? String(item) : item));
}
