import assert from "node:assert/strict";
import { installFromNpm } from "../../scripts/lib/install_from_npm.ts";
import { run } from "../../scripts/lib/process.ts";
import { makeFolder } from "../cli/folder.ts";
import { ownProgram } from "../cli/program.ts";
import { openEngine } from "../support/engine.ts";

/** Runs statements in DuckDB, and prints the rows of each as one line of JSON. */
const SCRIPT = `
  import { DuckDBInstance } from "@duckdb/node-api";
  import { readFileSync } from "node:fs";
  const session = await (await DuckDBInstance.create(":memory:")).connect();
  for (const sql of JSON.parse(readFileSync(0, "utf8"))) {
    const reader = await session.runAndReadAll(sql);
    const rows = reader.getRowsJS();
    console.log(JSON.stringify(rows, (_, value) => typeof value === "bigint" ? value + "n" : value));
  }`;

Deno.test("DuckDB reads what pgbars export wrote, as docs/export.md shows, with the types and values of the database", async () => {
  await using engine = await openEngine();
  await engine.db.exec(`
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial) values
      ('A', '2026-01-05 10:00Z', 0.1, 0.30000000000000004, 0.1, 0.2, 1e-7, 0.15, 900719925474, true),
      ('A', '2026-01-05 10:01Z', 1, 2, 1, 2, null, null, null, false);
    insert into public.derived_data_bars (canonical_symbol, timeframe, ts_utc, open, high, low, close, trade_count,
      source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes, quality_score) values
      ('A', '5m', '2026-01-05 10:00Z', 0.1, 2, 0.1, 2, 9007199254740993, '1m', 5, 5, 5, 5, 2)`);
  const modules = await installFromNpm("@duckdb/node-api", "1.5.6-r.1");
  await using folder = await makeFolder({});
  await Deno.symlink(modules, `${folder.path}/node_modules`);
  await Deno.mkdir(`${folder.path}/bars`);
  const program = await ownProgram();
  for (
    const [symbols, timeframe, format, output] of [
      ["A", "1m", "parquet", "bars/1m.parquet"],
      ["A", "5m", "parquet", "bars/5m.parquet"],
      ["NONE", "1h", "parquet", "bars/none.parquet"],
      ["A", "1m", "csv", "bars.csv"],
    ]
  ) {
    const { code, report } = await program.run(
      [
        "export",
        "--db",
        engine.url,
        "--symbols",
        symbols!,
        "--timeframe",
        timeframe!,
        "--format",
        format!,
        "--output",
        output!,
      ],
      { cwd: folder.path },
    );
    assert.equal(code, 0, report);
  }

  const page = await Deno.readTextFile(new URL("../../docs/export.md", import.meta.url));
  const [, block] = /^## DuckDB\n\n```sql\n([^]*?)```/m.exec(page)!;
  const shown = block!.replace(/--.*$/gm, "").split(";").map((sql) => sql.trim()).filter((sql) => sql !== "");
  const columns = "ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial, quality_score";
  const statements = [
    ...shown,
    `select ${columns} from 'bars/*.parquet' order by timeframe, ts_utc`,
    "select column_name, column_type from (describe select * from 'bars/*.parquet')",
  ];
  const { code, stdout, report } = await run("node", ["--input-type=module", "--eval", SCRIPT], {
    cwd: folder.path,
    input: JSON.stringify(statements),
  });
  assert.equal(code, 0, report);
  const [, counts, csv, bars, types] = stdout.trim().split("\n").map((line) => JSON.parse(line));

  assert.deepEqual(counts, [["A", "2026-01-05T10:01:00.000Z", "3n"]]);
  const minutes = [
    ["2026-01-05T10:00:00.000Z", 0.1, 0.30000000000000004, 0.1, 0.2, 1e-7, 0.15, "900719925474n", true, null],
    ["2026-01-05T10:01:00.000Z", 1, 2, 1, 2, null, null, null, false, null],
  ];
  assert.deepEqual(csv, minutes.map((row) => ["A", "1m", ...row]));
  assert.deepEqual(bars, [
    ...minutes,
    ["2026-01-05T10:00:00.000Z", 0.1, 2, 0.1, 2, null, null, "9007199254740993n", false, 2],
  ]);
  const price = (name: string) => [name, "DOUBLE"];
  assert.deepEqual(types, [
    ...[["canonical_symbol", "VARCHAR"], ["timeframe", "VARCHAR"], ["ts_utc", "TIMESTAMP WITH TIME ZONE"]],
    ...["open", "high", "low", "close", "vol", "vwap"].map(price),
    ...[["trade_count", "BIGINT"], ["is_partial", "BOOLEAN"], ["quality_score", "INTEGER"]],
  ]);
});
