import assert from "node:assert/strict";
import { type BarRow, renderBars } from "../../cli/lib/bars.ts";
import { ENGINES } from "../support/stack.ts";
import { runDue } from "../support/dispatch.ts";
import { openEngine } from "../support/engine.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { ownProgram } from "./program.ts";

const START = Date.parse("2025-07-01T10:00:00Z");

const bar = (index: number, close: number, more: Partial<BarRow> = {}): BarRow => ({
  canonical_symbol: "ACME",
  timeframe: "5m",
  ts_utc: new Date(START + index * 300_000).toISOString(),
  open: close,
  high: close,
  low: close,
  close,
  vol: 0.1 + 0.2,
  vwap: null,
  trade_count: null,
  quality_score: 2,
  covered_minutes: 5,
  expected_minutes: 5,
  is_partial: false,
  is_filled: false,
  is_forming: false,
  updated_at: null,
  ...more,
});

Deno.test("renderBars() as a table says what a row is", () => {
  const rows = [bar(0, 1.5), bar(1, 1.5, { is_filled: true, quality_score: null, covered_minutes: 0, vol: 0 })];
  rows.push(bar(2, 2, { is_forming: true, quality_score: null, covered_minutes: 2 }));
  assert.equal(
    renderBars(rows, "table", 80),
    `\
symbol  time (UTC)        open  high  low  close  vol  vwap  minutes
ACME    2025-07-01 10:00  1.5   1.5   1.5  1.5    0.3        5        excellent
ACME    2025-07-01 10:05  1.5   1.5   1.5  1.5    0          0        filled
ACME    2025-07-01 10:10  2     2     2    2      0.3        2        forming`,
  );
});

Deno.test("renderBars() as CSV has every column, and only the head where there is no bar", () => {
  const head =
    "canonical_symbol,timeframe,ts_utc,open,high,low,close,vol,vwap,trade_count,quality_score,covered_minutes," +
    "expected_minutes,is_partial,is_filled,is_forming";
  assert.equal(renderBars([], "csv", 80), head);
  assert.equal(
    renderBars([bar(0, 1.5, { canonical_symbol: 'A,"B"' })], "csv", 80),
    `${head}\n"A,""B""",5m,2025-07-01T10:00:00.000Z,1.5,1.5,1.5,1.5,0.30000000000000004,,,2,5,5,false,false,false`,
  );
});

Deno.test("renderBars() as a chart draws the last closes of each symbol that fit", () => {
  const rows = [..."0123456789876543210"].map((digit, index) => bar(index, Number(digit)));
  const chart = renderBars([...rows, bar(0, 7, { canonical_symbol: "FLAT" })], "chart", 30);
  const lines = chart.split("\n");
  assert.equal(lines[0], "ACME 5m, close of 16 bars, 2025-07-01 10:15 to 2025-07-01 11:30 UTC");
  assert.ok(lines.every((line) => line.length <= 70));
  assert.match(chart, /9\.00┤ +┏━?┓/);
  assert.deepEqual(lines.slice(-3), [
    "FLAT 5m, close of 1 bars, 2025-07-01 10:00 to 2025-07-01 10:00 UTC",
    "",
    "7 in all of them",
  ]);
  assert.equal(renderBars([], "chart", 80), "No bars.");
});

Deno.test("pgbars bars reads over a session", async () => {
  await using engine = await openEngine();
  await store(engine.db);
  const program = await ownProgram();
  const run = (...args: string[]) => program.run(["bars", ...args], { env: { DATABASE_URL: engine.url } });
  const times = (stdout: string) =>
    (JSON.parse(stdout) as BarRow[]).map((row) =>
      `${row.canonical_symbol} ${row.ts_utc.slice(11, 16)}${row.is_filled ? "f" : row.is_forming ? "p" : ""}`
    );

  const all = await run("ACME", 'O"DD', "--timeframe", "1m", "--from", "2025-07-01T10:00:00Z", "--json");
  assert.equal(all.code, 0, all.report);
  assert.deepEqual([times(all.stdout).length, new Set(times(all.stdout)).size], [1497, 1497 - 54]);

  const last = await run("ACME", 'O"DD', "--timeframe", "1m", "--last", "2", "--json");
  assert.deepEqual(times(last.stdout), ["ACME 10:57", "ACME 10:58", 'O"DD 10:01', 'O"DD 10:02']);
  const some = await run(..."ACME --timeframe 5m --from 2025-07-02T10:35:00Z --fill --forming --json".split(" "));
  assert.deepEqual(times(some.stdout), ["ACME 10:35", "ACME 10:40", "ACME 10:45f", "ACME 10:50", "ACME 10:55p"]);
  const day = await run(..."ACME --timeframe 1h --from 2025-07-02 --to 2025-07-03 --json".split(" "));
  assert.equal(times(day.stdout)[0], "ACME 00:00", day.report);
  const table = await run(..."ACME --timeframe 1h --to 2025-07-01T12:00:00+00:00".split(" "));
  assert.equal(table.stdout.split("\n").length, 4, table.report);
  const chart = await run(..."ACME --timeframe 1h --format chart".split(" "));
  assert.match(chart.stdout, /^ACME 1h, close of 20 bars, /);

  const before = new Date();
  await engine.db.query("update public.data_bars set high = 9e9, close = 9e9 where ts_utc = '2025-07-01 10:04+00'");
  await runDue(engine.db, new Date("2025-07-02T11:01Z"));
  const at = ["ACME", "--timeframe", "5m", "--from", "2025-07-01T10:00Z", "--to", "2025-07-01T10:05Z", "--json"];
  const closes = async (...args: string[]) =>
    (JSON.parse((await run(...at, ...args)).stdout) as BarRow[]).map((row) => row.close);
  assert.deepEqual([await closes(), await closes("--as-of", before.toISOString())], [[9e9], [4]]);

  const problems: [string[], RegExp][] = [
    [
      ["ACME", "--timeframe", "1m", "--as-of", before.toISOString()],
      /get_bars\(\) failed: p_as_of cannot be had with 1m/,
    ],
    [["ACME", "--timeframe", "soon"], /p_timeframe must be a timeframe/],
    [["ACME", "--timeframe", "5m", "--last", "3", "--from", "2025-07-01T10:00Z"], /Give --from or --last, not both/],
  ];
  for (const [args, message] of problems) {
    const { code, stdout, report } = await run(...args, "--json");
    assert.equal(code, 2, report);
    assert.match(JSON.parse(stdout).error, message);
  }
  for (
    const args of [["ACME"], ["--timeframe", "5m"], ["ACME", "--timeframe", "5m", "--from", "2025-07-01T10:00"], [
      "ACME",
      "--timeframe",
      "5m",
      "--from",
      "01/02/2025 10:00Z",
    ], [
      "ACME",
      "--timeframe",
      "5m",
      "--last",
      "0",
    ]]
  ) {
    assert.equal((await run(...args)).code, 2);
  }
});

Deno.test("pgbars bars reads over the Data API", async () => {
  await using stack = await ENGINES["PGlite"]!();
  await store(stack.db);
  const program = await ownProgram();
  const env = { SUPABASE_URL: stack.url, SUPABASE_SERVICE_ROLE_KEY: stack.keys.secret };
  const { code, stdout, report } = await program.run(
    ["bars", "ACME", 'O"DD', "--timeframe", "1m", "--from", "2025-07-01T10:00:00Z", "--json"],
    { env },
  );
  assert.equal(code, 0, report);
  assert.equal(JSON.parse(stdout).length, 1497);
});

/** A day and an hour of minutes without the last, and without five of them; and three minutes of another symbol. */
async function store(db: Database): Promise<void> {
  await db.exec(`
    insert into public.core_asset_registry_all (canonical_symbol, active) values ('ACME', true), ('O"DD', true);
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    select s.symbol, timestamptz '2025-07-01 10:00+00' + m * interval '1 minute', m, m, m, m
    from (values ('ACME', 1499), ('O"DD', 3)) as s (symbol, minutes)
    cross join lateral generate_series(0, s.minutes - 1) as m
  `);
  await db.exec(
    "delete from public.data_bars where ts_utc >= '2025-07-02 10:45+00' and ts_utc < '2025-07-02 10:50+00'",
  );
  await runDue(db, new Date("2025-07-02T11:00Z"));
}
