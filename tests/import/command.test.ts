import assert from "node:assert/strict";
import { join } from "node:path";
import type { ImportResult } from "../../cli/lib/import/run_import.ts";
import { makeFolder } from "../cli/folder.ts";
import { ownProgram } from "../cli/program.ts";
import { openEngine } from "../support/engine.ts";
import { ENGINES } from "../support/stack.ts";
import { GOLDEN } from "./reading.ts";

const HEADER = "ts_utc,open,high,low,close,vol,vwap,trade_count";
const START = Date.UTC(2025, 2, 3, 9, 0);

const minute = (index: number) => new Date(START + index * 60_000).toISOString();
const row = (index: number, high: number | string = 1.3) => `${minute(index)},1.1,${high},1.0,1.2,${index},,`;
const file = (rows: string[]) => `${[HEADER, ...rows].join("\n")}\n`;
const rows = (count: number) => Array.from({ length: count }, (_, index) => row(index));

const outcome = (
  { inserted, updated, unchanged, superseded }: ImportResult,
) => [inserted, updated, unchanged, superseded];

const BARS = `select canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial, source, raw
  from public.data_bars order by canonical_symbol, ts_utc`;

Deno.test("pgbars import stores the bars of a file, again changes nothing, and a new value changes its bar alone", async () => {
  await using engine = await openEngine();
  await using folder = await makeFolder({ "A.csv": file(rows(1200)) });
  const program = await ownProgram();
  const run = async (...files: string[]) => {
    const { code, stdout, report } = await program.run(["import", "--json", "--db", engine.url, ...files], {
      cwd: folder.path,
    });
    assert.equal(code, 0, report);
    return JSON.parse(stdout) as ImportResult;
  };
  const first = await run("A.csv");
  assert.deepEqual(outcome(first), [1200, 0, 0, 0]);
  assert.deepEqual(first.symbols, [{
    symbol: "A",
    bars: 1200,
    first: "2025-03-03T09:00:00Z",
    last: "2025-03-04T04:59:00Z",
  }]);
  assert.deepEqual(first.unregistered, ["A"]);
  // A copy past data_bars would have set created_at by itself.
  const copied = "select count(*)::int as bars from public.data_bars where created_at = ingested_at";
  assert.deepEqual(await engine.db.query(copied), [{ bars: 1200 }]);

  const versions = () => engine.db.query("select ts_utc, xmin::text, updated_at from public.data_bars order by ts_utc");
  const before = await versions();
  assert.deepEqual(outcome(await run("A.csv")), [0, 0, 1200, 0]);
  assert.ok(JSON.stringify(await versions()) === JSON.stringify(before));

  const changed = rows(1201);
  changed[700] = row(700, 1.7);
  await folder.write("A_2025-03.csv", file(changed));
  assert.deepEqual(outcome(await run("A_2025-03.csv")), [1, 1, 1199, 0]);
  const after = await versions();
  assert.deepEqual(after.filter((one, index) => JSON.stringify(one) !== JSON.stringify(before[index])).length, 2);
  const notes = await engine.db.query("select from agg.change_note");
  assert.ok(notes.length > 0);

  const { stdout } = await program.run(["import", "--db", engine.url, "--symbol", "O'B", "A.csv"], {
    cwd: folder.path,
  });
  assert.match(stdout, /^ {2}insert into core_asset_registry_all .* values \('O''B', true\);$/m);

  await folder.write("B_2025-03.csv", file(rows(10)));
  await folder.write("B_2025-04.csv", file([row(9, 9), row(10)]));
  assert.deepEqual(outcome(await run("B_2025-03.csv", "B_2025-04.csv")), [11, 0, 0, 1]);
  assert.deepEqual(
    await engine.db.query("select high from public.data_bars where canonical_symbol = 'B' and ts_utc = $1", [
      new Date(minute(9)),
    ]),
    [{ high: 9 }],
  );
});

Deno.test("pgbars import keeps what the database refuses out, with its line, and reports it in a file", async () => {
  await using engine = await openEngine();
  await engine.db.exec(`
    alter table public.data_bars add constraint no_thirteen check (vol <> 13);
    insert into public.core_asset_registry_all (canonical_symbol, active) values ('A', true);
  `);
  await using folder = await makeFolder({
    "A.csv": file([...rows(1500), "2025-03-03T09:03:00,1,1,1,1,,,", row(3)]),
    "DXY.csv": file(rows(1)),
    "notes.csv": "day,remark\n2025-03-03,hello\n",
  });
  const args = ["import", "--db", engine.url, "A.csv", "DXY.csv", "notes.csv", "gone.csv", "--refused", "no.csv"];
  const { code, stdout, stderr, report } = await (await ownProgram()).run(args, { cwd: folder.path });
  assert.equal(code, 1, report);
  assert.match(stdout, /^1,499 bars are new, 0 changed, 0 were there already; /m);
  assert.doesNotMatch(stdout, /The registry does not have/);
  assert.match(stderr, /A\.csv: 3 rows refused \(1 time without zone, 1 duplicate, 1 no_thirteen\)/);
  assert.match(stderr, /Not read: notes\.csv: it has none of the columns open/);
  assert.match(stderr, /Not read: gone\.csv: there is no such file/);
  const refused = (await folder.read("no.csv")).split("\n").map((line) => line.split(",").slice(0, 3).join(","));
  assert.deepEqual(refused.toSorted(), [
    "",
    "A.csv,15,no_thirteen",
    "A.csv,1502,time without zone",
    "A.csv,1503,duplicate",
    "DXY.csv,2,computed series",
    "file,line,reason",
  ]);
  const [count] = await engine.db.query("select count(*)::int as bars from public.data_bars where source = 'ingest'");
  assert.deepEqual(count, { bars: 1499 });
});

Deno.test("pgbars import goes on where it was broken off, over several transactions", async () => {
  await using engine = await openEngine();
  const all = rows(120_000);
  await using folder = await makeFolder({ "A.csv": file(all) });
  const program = await ownProgram();
  const args = ["import", "--json", "--db", engine.url, "A.csv"];
  // Two transactions are stored when the third meets this.
  await engine.db.exec(`
    create function public.stop_here() returns trigger language plpgsql as
      'begin if exists (select from new_rows where vol = 110000) then raise exception ''no space'' using errcode = ''53100''; end if; return null; end';
    create trigger stop_here after insert on public.data_bars referencing new table as new_rows
      for each statement execute function public.stop_here();
  `);
  const broken = await program.run(args, { cwd: folder.path });
  assert.equal(broken.code, 2, broken.report);
  assert.match(broken.stderr, /no space/);
  const [part] = await engine.db.query<{ bars: number }>("select count(*)::int as bars from public.data_bars");
  assert.ok(part!.bars >= 50_000 && part!.bars < 120_000, `${part!.bars}`);

  await engine.db.exec("drop trigger stop_here on public.data_bars");
  const { code, stdout, report } = await program.run(args, { cwd: folder.path });
  assert.equal(code, 0, report);
  assert.deepEqual(outcome(JSON.parse(stdout)), [120_000 - part!.bars, 0, part!.bars, 0]);
});

Deno.test("pgbars import over the Data API stores what it stores over a session", async () => {
  await using stack = await ENGINES["PGlite"]!();
  await using engine = await openEngine();
  await using folder = await makeFolder({ "A.csv": file([...rows(2100), row(5)]) });
  const program = await ownProgram();
  const files = ["A.csv", join(GOLDEN, "2026-01-02.csv"), join(GOLDEN, "quoted_1m.csv")];
  const results: ImportResult[] = [];
  for (const target of [["--db", engine.url], ["--url", stack.url, "--key", stack.keys.secret]]) {
    const { code, stdout, report } = await program.run(["import", "--json", ...target, ...files], { cwd: folder.path });
    assert.equal(code, 1, report);
    results.push({ ...JSON.parse(stdout), seconds: 0 });
  }
  assert.deepEqual(results[1], results[0]);
  assert.deepEqual(await stack.db.query(BARS), await engine.db.query(BARS));

  const wrong = await program.run(["import", "--url", stack.url, "--key", "wrong", "A.csv"], { cwd: folder.path });
  assert.equal(wrong.code, 2, wrong.report);
  assert.match(wrong.stderr, /status 40\d/);
});

Deno.test("pgbars import --dry-run shows what it understood, stores nothing and asks for no database", async () => {
  const { code, stdout, report } = await (await ownProgram()).run([
    ...["import", "--dry-run", "--zone", "NewYork+7", "--symbol", "GBPUSD", join(GOLDEN, "GBPUSD_mt4.csv")],
  ]);
  assert.equal(code, 0, report);
  assert.equal(
    stdout,
    `\
GBPUSD_mt4.csv: mt4 (MetaTrader 4, or HistData under another name); symbol GBPUSD; zone NewYork+7
GBPUSD  2 bars  2026-03-09T21:00:00Z to 2026-03-09T21:01:00Z
The first bars, in UTC:
  symbol  minute                open    high    low     close   vol  vwap  trades
  GBPUSD  2026-03-09T21:00:00Z  1.2501  1.2504  1.25    1.2502  41
  GBPUSD  2026-03-09T21:01:00Z  1.2502  1.2503  1.2499  1.2499  37
Nothing was stored.
`,
  );
});

Deno.test("pgbars import ends with 2 for options that make no sense", async () => {
  const program = await ownProgram();
  const problems: [string[], RegExp][] = [
    [["--zone", "EST"], /"EST" is not taken as a zone/],
    [["--shift", "1h"], /Give minutes/],
    [["--map", "volume"], /must be COLUMN=FIELD/],
    [["--map", "volume=amount"], /must be COLUMN=FIELD/],
    [["--format", "excel"], /must be one of histdata/],
    [["--date-order", "ymd"], /dmy, mdy/],
  ];
  for (const [args, message] of problems) {
    const { code, stderr, report } = await program.run(["import", "--dry-run", ...args, "A.csv"]);
    assert.equal(code, 2, report);
    assert.match(stderr, message);
  }
});

Deno.test("pgbars import reads a file that is larger than its memory", async () => {
  await using folder = await makeFolder({});
  const path = join(folder.path, "A.csv");
  {
    using out = await Deno.create(path);
    const writer = out.writable.getWriter();
    const encoder = new TextEncoder();
    await writer.write(encoder.encode(`${HEADER}\n`));
    for (let start = 0; start < 1_000_000; start += 10_000) {
      const part = Array.from({ length: 10_000 }, (_, index) => {
        const ts = new Date(Date.UTC(2020, 0, 1, 0, start + index)).toISOString();
        return `${ts},1.1,1.3,1.0,1.2,${index},,\n`;
      });
      await writer.write(encoder.encode(part.join("")));
    }
    await writer.ready;
  }
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-check", "--allow-all", "--v8-flags=--max-old-space-size=48", "cli/main.ts"],
      ...["import", "--dry-run", "--json", path],
    ],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  assert.equal(JSON.parse(new TextDecoder().decode(stdout)).bars, 1_000_000);
});
