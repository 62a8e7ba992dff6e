import assert from "node:assert/strict";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { openParquetWriter } from "../../cli/lib/export/parquet_writer.ts";
import type { Row } from "../../cli/lib/export/row.ts";
import { makeFolder } from "../cli/folder.ts";
import { ownProgram } from "../cli/program.ts";
import { openEngine } from "../support/engine.ts";
import { ENGINES } from "../support/stack.ts";

const COLUMNS = "canonical_symbol,timeframe,ts_utc,open,high,low,close,vol,vwap,trade_count,is_partial,quality_score";

/** Bars whose values are hard to carry: 17 digits, counts above 2^53, quotes, nulls, a soft-deleted bar. */
const BARS = `
  insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial) values
    ('A', '2026-01-05 10:00Z', 0.1, 0.30000000000000004, 0.1, 0.2, 1e-7, 0.15, 900719925474, true),
    ('A', '2026-01-05 10:01Z', 1, 2, 1, 2, null, null, null, false),
    ('B,"C', '2026-01-05 10:00Z', -1, -1, -2, -1.5, 0, null, 0, false),
    ('Q"x', '2026-01-05 10:00Z', 1, 1, 1, 1, 0, null, 0, false);
  insert into public.derived_data_bars (canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count,
    source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes, quality_score, deleted_at) values
    ('A', '5m', '2026-01-05 10:00Z', 0.1, 2, 0.1, 2, 1e-7, 0.15, 9007199254740993, '1m', 5, 5, 5, 5, 2, null),
    ('A', '5m', '2026-01-05 10:05Z', 1, 1, 1, 1, null, null, null, '1m', 1, 5, 1, 5, null, now());`;

const MINUTES = `\
${COLUMNS}
"B,""C",1m,2026-01-05T10:00:00Z,-1,-1,-2,-1.5,0,,0,false,
A,1m,2026-01-05T10:00:00Z,0.1,0.30000000000000004,0.1,0.2,1e-7,0.15,900719925474,true,
A,1m,2026-01-05T10:01:00Z,1,2,1,2,,,,false,
`;
const FIVES = `${COLUMNS}\nA,5m,2026-01-05T10:00:00Z,0.1,2,0.1,2,1e-7,0.15,9007199254740993,false,2\n`;

Deno.test("pgbars export writes CSV and JSON lines, over a session and over the Data API", async () => {
  await using stack = await ENGINES["PGlite"]!();
  await using engine = await openEngine();
  await engine.db.exec(BARS);
  await stack.db.exec(BARS);
  const program = await ownProgram();
  for (const target of [["--db", engine.url], ["--url", stack.url, "--key", stack.keys.secret]]) {
    const run = async (...args: string[]) => {
      const { code, stdout, report } = await program.run(["export", ...target, ...args]);
      assert.equal(code, 0, report);
      return stdout;
    };
    const symbols = ["--symbols", "A"];
    const minutes = ["--timeframe", "1m"];
    const rows = MINUTES.split("\n");
    assert.equal(await run(...symbols, ...minutes), `${[rows[0], ...rows.slice(2)].join("\n")}`);
    assert.equal(await run(...symbols, "--timeframe", "5m"), FIVES);
    assert.equal(
      await run(...symbols, ...minutes, "--from", "2026-01-05T10:01:00Z", "--to", "2026-01-06"),
      `${rows[0]}\n${rows[3]}\n`,
    );
    assert.equal(await run(...symbols, ...minutes, "--to", "2026-01-05T11:01:00+01:00"), `${rows[0]}\n${rows[2]}\n`);
    assert.equal(await run("--symbols", "NONE", ...minutes), `${rows[0]}\n`);
    assert.equal(
      await run(...symbols, "--timeframe", "5m", "--format", "jsonl"),
      '{"canonical_symbol":"A","timeframe":"5m","ts_utc":"2026-01-05T10:00:00Z","open":0.1,"high":2,"low":0.1,"close":2,' +
        '"vol":1e-7,"vwap":0.15,"trade_count":9007199254740993,"is_partial":false,"quality_score":2}\n',
    );
    assert.equal(await run("--symbols", "NONE", "--timeframe", "5m", "--format", "jsonl"), "");
    const { stderr } = await program.run(["export", ...target, "--symbols", "NO,A,NONE", ...minutes]);
    assert.match(stderr, /^2 bars of 1m written\. NO, NONE: no bars\.$/m);
  }
});

Deno.test("pgbars export writes Parquet with one schema, also for empty files and empty columns", async () => {
  await using engine = await openEngine();
  await engine.db.exec(BARS);
  await using folder = await makeFolder({});
  const program = await ownProgram();
  const read = async (name: string, ...args: string[]) => {
    const { code, report } = await program.run(
      ["export", "--db", engine.url, "--format", "parquet", "--output", name, ...args],
      { cwd: folder.path },
    );
    assert.equal(code, 0, report);
    const file = await asyncBufferFromFile(join(folder.path, name));
    const metadata = await parquetMetadataAsync(file);
    return { schema: parquetSchema(metadata), rows: await parquetReadObjects({ file }) };
  };
  const minutes = await read("a.parquet", "--symbols", "A", "--timeframe", "1m");
  assert.deepEqual(minutes.rows, [
    {
      ...{ canonical_symbol: "A", timeframe: "1m", ts_utc: new Date("2026-01-05T10:00:00Z") },
      ...{ open: 0.1, high: 0.30000000000000004, low: 0.1, close: 0.2, vol: 1e-7, vwap: 0.15 },
      ...{ trade_count: 900719925474n, is_partial: true, quality_score: null },
    },
    {
      ...{ canonical_symbol: "A", timeframe: "1m", ts_utc: new Date("2026-01-05T10:01:00Z") },
      ...{ open: 1, high: 2, low: 1, close: 2, vol: null, vwap: null },
      ...{ trade_count: null, is_partial: false, quality_score: null },
    },
  ]);
  const fives = await read("b.parquet", "--symbols", "A", "--timeframe", "5m");
  assert.deepEqual(fives.rows.map((row) => [row["trade_count"], row["quality_score"]]), [[9007199254740993n, 2]]);
  const none = await read("c.parquet", "--symbols", "NONE", "--timeframe", "5m");
  assert.deepEqual(none.rows, []);
  assert.deepEqual(
    fives.schema.children.map(({ element }) => element),
    minutes.schema.children.map(({ element }) => element),
  );
  assert.deepEqual(
    none.schema.children.map(({ element }) => element),
    minutes.schema.children.map(({ element }) => element),
  );
  const [, , ts] = minutes.schema.children;
  assert.deepEqual(ts?.element.logical_type, { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" });
});

Deno.test("openParquetWriter() writes groups as they are full", async () => {
  await using folder = await makeFolder({});
  const path = join(folder.path, "a.parquet");
  const writer = openParquetWriter(path);
  const bar = (index: number): Row => ({
    ...{
      canonical_symbol: "A",
      timeframe: "1m",
      ts: index * 60_000,
      open: index,
      high: index,
      low: index,
      close: index,
    },
    ...{ vol: null, vwap: null, trade_count: null, is_partial: false, quality_score: null },
  });
  for (let start = 0; start < 250_000; start += 10_000) {
    await writer.write(Array.from({ length: 10_000 }, (_, index) => bar(start + index)));
  }
  await writer.end();
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  assert.deepEqual(metadata.row_groups.map(({ num_rows }) => num_rows), [100_000n, 100_000n, 50_000n]);
  const rows = await parquetReadObjects({ file, columns: ["open", "ts_utc"], rowStart: 199_999, rowEnd: 200_001 });
  assert.deepEqual(rows, [199_999, 200_000].map((open) => ({ open, ts_utc: new Date(open * 60_000) })));
});

Deno.test("what pgbars export wrote, pgbars import takes, and the bars are equal", async () => {
  await using engine = await openEngine();
  await using other = await openEngine();
  await engine.db.exec(BARS);
  await engine.db.exec(`
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
    select 'R', timestamptz '2025-01-01Z' + m * interval '1 minute', p, p * 1.1, p * 0.9, p * 1.01, p / 3, p * 0.97, m
    from (select m, random() * 1000 as p from generate_series(0, 59999) as m) as w`);
  await using folder = await makeFolder({});
  const program = await ownProgram();
  const run = async (...args: string[]) => {
    const { code, report } = await program.run(args, { cwd: folder.path });
    assert.equal(code, 0, report);
  };
  await run("export", "--db", engine.url, "--symbols", 'A,R,"B,""C",Q"x', "--timeframe", "1m", "--output", "bars.csv");
  await run("import", "--db", other.url, "bars.csv");
  const sql =
    `select md5(string_agg(row(b.canonical_symbol, b.ts_utc, b.open, b.high, b.low, b.close, b.vol, b.vwap, b.trade_count,
    b.is_partial)::text, ',' order by b.canonical_symbol, b.ts_utc)) as digest, count(*)::int as bars
    from public.data_bars as b`;
  const [expected] = await engine.db.query(sql);
  assert.deepEqual(await other.db.query(sql), [expected]);
  assert.equal(expected?.["bars"], 60_004);

  // As `| head` does.
  const child = program.start(["export", "--db", engine.url, "--symbols", "R", "--timeframe", "1m"]);
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  assert.equal((await child.status).code, 0);
});

Deno.test("pgbars export ends with 2 for options that make no sense, and leaves the file alone when it fails", async () => {
  const program = await ownProgram();
  await using folder = await makeFolder({ "bars.csv": "mine" });
  const nowhere = ["--db", "postgres://127.0.0.1:1/x"];
  const problems: [string[], RegExp][] = [
    [["--timeframe", "1m"], /--symbols/],
    [["--symbols", "A"], /--timeframe/],
    [["--symbols", "A", "--timeframe", "month"], /Give a timeframe/],
    [["--symbols", "A", "--timeframe", "1m", "--from", "yesterday"], /Give a time with its zone/],
    [["--symbols", "A", "--timeframe", "1m", "--from", "2026-01-02T10:00"], /Give a time with its zone/],
    [["--symbols", "A", "--timeframe", "1m", "--from", "2026-02-30"], /Give a time with its zone/],
    [["--symbols", "A", "--timeframe", "1m", "--from", "01/02/2026 10:00Z"], /Give a time with its zone/],
    [
      ["--symbols", "A", "--timeframe", "1m", "--from", "2026-01-02", "--to", "2026-01-02", ...nowhere],
      /--to must be later than --from/,
    ],
    ...["csv", "parquet"].map((format): [string[], RegExp] => [
      [...["--symbols", "A", "--timeframe", "1m", "--format", format, "--output", "none/bars"], ...nowhere],
      /^pgbars: Cannot write none\/bars: .*\n$/,
    ]),
    [
      ["--symbols", "A", "--timeframe", "1m", "--format", "parquet", ...nowhere],
      /needs --output/,
    ],
    [
      ["--symbols", "A", "--timeframe", "1m", "--output", "bars.csv", ...nowhere],
      /Cannot connect/,
    ],
  ];
  for (const [args, message] of problems) {
    const { code, stderr, report } = await program.run(["export", ...args], { cwd: folder.path });
    assert.equal(code, 2, report);
    assert.match(stderr, message);
  }
  assert.deepEqual(await folder.readAll(), { "bars.csv": "mine" });
});
