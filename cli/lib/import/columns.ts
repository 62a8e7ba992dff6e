import { ALIASES, type Field, FIELDS, KNOWN_UNUSED, LOOKS_LIKE, SPLIT_TIMES } from "./formats.ts";

/** What `--map` says of columns: the field of each, or "none" for one that is left out. */
export type ColumnMap = ReadonlyMap<string, Field | "none">;

/** Where the fields of a file stand. */
export interface Columns {
  places: ReadonlyMap<Field, number>;
  /** Names of columns that are not used. */
  unused: string[];
}

/** The file holds something other than bars. */
export class NotBars extends Error {
  override readonly name = "NotBars";
}

const PRICES = ["open", "high", "low", "close"] as const;

/**
 * Finds the fields of a file by the names of its columns, in any order and case. `hasSymbol` says that the symbol is known
 * without a column. Throws a {@link NotBars} where no column has a price, and an Error that says what to change where the file
 * cannot be read as it is: nothing that may be a field is left out in silence.
 */
export function findColumns(names: readonly string[], map: ColumnMap, hasSymbol: boolean): Columns {
  const lower = names.map((name) => name.toLowerCase());
  const places = new Map<Field, number>();
  const free = new Set(names.keys());
  for (const [name, field] of map) {
    const exact = names.indexOf(name);
    const place = exact >= 0 ? exact : lower.indexOf(name.toLowerCase());
    if (place < 0) throw new Error(`--map names ${name}, but the columns are ${names.join(", ")}`);
    free.delete(place);
    if (field === "none") continue;
    if (places.has(field)) throw new Error(`--map names two columns for ${field}`);
    places.set(field, place);
  }
  const take = (field: Field, place: number) => {
    places.set(field, place);
    free.delete(place);
  };

  const splits = SPLIT_TIMES.map((pair) => pair.map((name) => [...free].find((place) => lower[place] === name)));
  const found = new Map<Field, number[]>();
  for (const field of FIELDS) {
    const isTime = field === "ts_utc";
    if (field === "date" || field === "time" || places.has(field) || (isTime && places.has("date"))) continue;
    const exact = [...free].filter((place) => lower[place] === field);
    if (exact.length > 1) throw new Error(`the header names ${field} twice`);
    if (exact.length === 1) {
      take(field, exact[0]!);
      continue;
    }
    const [date, time] = splits.find(([date, time]) => date !== undefined && time !== undefined) ?? [];
    const others = [...free].filter((place) => ALIASES[lower[place]!] === field);
    if (isTime && date !== undefined && time !== undefined && others.length === 2) {
      take("date", date);
      take("time", time);
    } else if (others.length === 1) take(field, others[0]!);
    else if (others.length > 1) found.set(field, others);
  }

  // What stands under a name that only resembles one of ours.
  for (const place of free) {
    const field = LOOKS_LIKE.find(([pattern]) => pattern.test(lower[place]!.replace(/[^a-z0-9]/g, "")))?.[1];
    if (field === undefined || places.has(field) || (field === "ts_utc" && places.has("date"))) continue;
    if (field === "canonical_symbol" && hasSymbol) continue;
    if (found.get(field)?.includes(place)) continue;
    found.set(field, [...found.get(field) ?? [], place]);
  }
  if (!PRICES.some((price) => places.has(price)) && !PRICES.every((price) => found.has(price))) {
    throw new NotBars("it has none of the columns open, high, low, close");
  }
  const hasTime = places.has("ts_utc") || (places.has("date") && places.has("time"));
  const lacking = [
    ...hasTime || found.has("ts_utc") ? [] : ["ts_utc"],
    ...PRICES.filter((price) => !places.has(price) && !found.has(price)),
  ];
  if (lacking.length > 0) {
    throw new Error(
      `the header lacks ${lacking.join(", ")}: add what is missing, or give --map "COLUMN=${
        lacking[0]
      }" where it has another name`,
    );
  }
  const problems = [...found].map(([field, found]) => describeChoice(field, found.map((place) => names[place]!)));
  if (problems.length > 0) throw new Error(problems.join("; "));
  const used = new Set(places.values());
  return { places, unused: names.filter((_, place) => !used.has(place) && !KNOWN_UNUSED.includes(lower[place]!)) };
}

function describeChoice(field: Field, names: readonly string[]): string {
  const [first] = names;
  if (names.length === 1) {
    return `rename ${first} to ${field}, or give --map "${first}=${field}"; --map "${first}=none" leaves it out`;
  }
  const list = new Intl.ListFormat("en").format(names);
  return `${list} may all be ${field}: --map "${first}=${field}" says which one is`;
}

/** Reads the value of `--map`: `timestamp=ts_utc,volume=vol`. Throws an Error that says what is wrong. */
export function readColumnMap(text: string): ColumnMap {
  const map = new Map<string, Field | "none">();
  for (const part of text.split(",")) {
    const [, name, field] = /^(.*?)\s*=\s*(\w+)$/.exec(part.trim()) ?? [];
    if (name === undefined || !isTarget(field!)) {
      throw new Error(`${JSON.stringify(part)} must be COLUMN=FIELD, with one of ${FIELDS.join(", ")}, none`);
    }
    map.set(name, field as Field | "none");
  }
  return map;
}

function isTarget(field: string): boolean {
  return field === "none" || FIELDS.some((one) => one === field);
}
