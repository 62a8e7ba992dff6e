import { openDatabase } from "../../cli/lib/database.ts";
import type { Database } from "../lib/database.ts";
import { run } from "../lib/process.ts";
import { settle, START } from "./market.ts";
import { type Measurement, median, medianRatio, time } from "./measure.ts";

const ROWS = 1_000_000;
const SYMBOLS = 4;
const ROUNDS = 3;

const PROGRAM = ["run", "--quiet", "--no-check", "--allow-all", new URL("../../cli/main.ts", import.meta.url).pathname];
const COLUMNS = "canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count";

/**
 * `pgbars import` of a CSV file against a bare copy of the same rows into the same table with its triggers, in turns; then
 * again, when all is stored; then an export and its import, which must give equal bars. `urlOf` is where a database is.
 */
export async function measureImport(
  open: (name: string) => Promise<Database>,
  urlOf: (name: string) => string,
  scale: number,
): Promise<Measurement[]> {
  const db = await open("import");
  const other = await open("import_again");
  const folder = await Deno.makeTempDir({ prefix: "pgbars-bench-" });
  try {
    const rows = Math.ceil(ROWS / scale);
    const parts = makeRows(rows);
    const file = `${folder}/bars_1m.csv`;
    await Deno.writeTextFile(file, `${COLUMNS.replaceAll(" ", "")}\n${parts.join("").replaceAll("\t", ",")}`);
    const program = async (...args: string[]) => {
      const { code, stdout, report } = await run(Deno.execPath(), [...PROGRAM, ...args, "--json"]);
      if (code !== 0) throw new Error(report);
      return JSON.parse(stdout);
    };
    const importInto = async (name: string, path: string, expected: { inserted: number; unchanged: number }) => {
      const { inserted, unchanged } = await program("import", "--db", urlOf(name), path);
      if (inserted !== expected.inserted || unchanged !== expected.unchanged) {
        throw new Error(`${inserted}, ${unchanged}`);
      }
    };

    const [bare, imported]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      await empty(db);
      bare.push(await time(() => copyBare(urlOf("import"), parts)));
      await empty(db);
      imported.push(await time(() => importInto("import", file, { inserted: rows, unchanged: 0 })));
    }
    const again = await time(() => importInto("import", file, { inserted: 0, unchanged: rows }));

    const exported = `${folder}/exported_1m.csv`;
    const symbols = Array.from({ length: SYMBOLS }, (_, index) => `S${index}`).join();
    const selection = ["--db", urlOf("import"), "--symbols", symbols, "--timeframe", "1m"];
    const csv = await time(() => program("export", ...selection, "--output", exported));
    const parquet = await time(() =>
      program("export", ...selection, "--format", "parquet", "--output", `${folder}/exported.parquet`)
    );
    await importInto("import_again", exported, { inserted: rows, unchanged: 0 });
    const [before, after] = [await digest(db), await digest(other)];
    if (before !== after) throw new Error("what was exported and imported differs");

    const against = { name: "bare copy with the triggers", milliseconds: median(bare) };
    const none = { text: "none", met: true };
    const count = rows.toLocaleString("en-US");
    return [
      {
        work: `import ${count} rows of CSV`,
        pgbars: median(imported),
        against,
        budget: { text: "at most 1.3x its time", met: medianRatio(imported, bare) <= 1.3 },
      },
      { work: `import ${count} rows that are stored already`, pgbars: again, against, budget: none },
      { work: `export ${count} rows as CSV`, pgbars: csv, budget: none },
      { work: `export ${count} rows as Parquet`, pgbars: parquet, budget: none },
    ];
  } finally {
    await Deno.remove(folder, { recursive: true });
    await Promise.all([db.close(), other.close()]);
  }
}

async function empty(db: Database): Promise<void> {
  await db.exec("truncate public.data_bars, agg.change_note");
  await settle(db);
}

async function copyBare(url: string, parts: readonly string[]): Promise<void> {
  const db = await openDatabase(url);
  try {
    await db.exec("begin");
    await db.copyIn(`copy public.data_bars (${COLUMNS}) from stdin`, parts);
    await db.query("select 1");
    await db.exec("commit");
  } finally {
    await db.close();
  }
}

/** Rows of all symbols, one after the other, in parts, with tabs between the fields. */
function makeRows(rows: number): string[] {
  const parts: string[] = [];
  const perSymbol = Math.ceil(rows / SYMBOLS);
  let lines = "";
  for (let row = 0; row < rows; row++) {
    const minute = row % perSymbol;
    const price = 100 + Math.sin(row / 1000) * 10;
    const ts = new Date(START.getTime() + (minute - perSymbol) * 60_000).toISOString().replace(".000Z", "Z");
    const prices = [price, price + 1, price - 1, price + 0.5].map((value) => value.toFixed(5)).join("\t");
    lines += `S${Math.floor(row / perSymbol)}\t${ts}\t${prices}\t${(row % 977) / 8}\t${price.toFixed(6)}\t${
      row % 50
    }\n`;
    if (row % 1000 !== 999 && row !== rows - 1) continue;
    parts.push(lines);
    lines = "";
  }
  return parts;
}

async function digest(db: Database): Promise<string> {
  const [row] = await db.query<{ digest: string }>(
    `select md5(string_agg(md5(row(${COLUMNS.split(", ").map((name) => `b.${name}`).join(", ")})::text), ''
       order by b.canonical_symbol, b.ts_utc)) as digest
     from public.data_bars as b`,
  );
  return row!.digest;
}
