const prices = ["open", "high", "low", "close"] as const;
const needed = ["ts_utc", ...prices] as const;

/** The columns of a bar file, in the order in which to write them. */
export const csvColumns = ["canonical_symbol", ...needed, "vol", "vwap", "trade_count"] as const;
export type CsvColumn = typeof csvColumns[number];

/**
 * What other sources call a column, by its letters and digits. The first match counts, so that the volume-weighted
 * average is not taken for the volume, nor the opening time for the opening price.
 */
const otherNames: [name: RegExp, column: CsvColumn | undefined][] = [
  [/volatil|timeframe|timezone|update/, undefined],
  [/vwap|weighted|^(vw|wap)$/, "vwap"],
  [/vol|^(v|qty|quantity|turnover)$/, "vol"],
  [/trade|transaction|^(n|count)$/, "trade_count"],
  [/time|date|unix|epoch|^(ts?|ts.*utc)$/, "ts_utc"],
  [/symbol|ticker|instrument|^(sym|pair)$/, "canonical_symbol"],
  ...prices.map((price): [RegExp, CsvColumn] => [
    new RegExp(`^(${price[0]}|\\d*(bid|mid)?${price}(price|bid|mid)?)$`),
    price,
  ]),
];

/**
 * Finds the columns of a bar file by the fields of its first row, in any order and case. Returns undefined when the file
 * holds something other than bars. Throws an Error that says what to change when it cannot be read as it is.
 */
export function readHeader(fields: readonly string[]): ReadonlyMap<CsvColumn, number> | undefined {
  const [only] = fields;
  const separator = fields.length === 1 ? /[;\t|]/.exec(only!)?.[0] : undefined;
  const names = separator === undefined ? fields : only!.split(separator);
  const columns = new Map<CsvColumn, number>();
  const candidates = new Map<CsvColumn, string[]>();
  for (const [index, name] of names.entries()) {
    const column = csvColumns.find((one) => one === name.toLowerCase());
    if (column !== undefined && columns.has(column)) throw new Error(`the header names ${column} twice`);
    if (column !== undefined) columns.set(column, index);
    const other = column ?? otherColumn(name);
    if (other !== undefined) candidates.set(other, [...candidates.get(other) ?? [], name]);
  }
  const commas = separator === undefined ? "" : "its columns are not separated by commas: save it as comma-separated";
  if (names.some((name) => /^[-+.]?\d[-+.:\dTZ ]*$/.test(name))) {
    const missing = `the file has no header: put the names of its columns first, as in ${csvColumns.join(",")}`;
    throw new Error([missing, commas].filter((text) => text !== "").join("; "));
  }

  const known = prices.filter((price) => columns.has(price)).length;
  if (known === 0 && !prices.every((price) => candidates.has(price))) return undefined;
  if (commas !== "") throw new Error(commas);
  const lacking = needed.filter((name) => !candidates.has(name));
  if (lacking.length > 0) throw new Error(`the header lacks ${lacking.join(", ")}: add what is missing`);
  const advice = adviseRenames(columns, candidates);
  if (advice !== "") throw new Error(`${advice}. Remove a column that holds something else`);
  return columns;
}

function otherColumn(name: string): CsvColumn | undefined {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, "");
  return otherNames.find(([pattern]) => pattern.test(plain))?.[1];
}

/** How the columns that are there under other names have to be named; empty when there are none. */
function adviseRenames(columns: ReadonlyMap<CsvColumn, number>, candidates: ReadonlyMap<CsvColumn, string[]>): string {
  const joins: string[] = [];
  const renames: string[] = [];
  for (const [column, names] of candidates) {
    const list = new Intl.ListFormat("en").format(names);
    if (columns.has(column)) continue;
    if (names.length === 1) renames.push(`${list} to ${column}`);
    else if (column === "ts_utc") joins.push(`make one column ts_utc of ${list}`);
    else renames.push(`one of ${list} to ${column}`);
  }
  return [...joins, ...renames.length > 0 ? [`rename ${renames.join(", ")}`] : []].join("; ");
}
