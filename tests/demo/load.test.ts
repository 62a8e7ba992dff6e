import assert from "node:assert/strict";
import { type Bar, HOUR, MINUTE } from "../../cli/lib/import/bar.ts";
import { holdRecent, loadBars } from "../../scripts/demo/load.ts";
import { Problems } from "../../cli/lib/import/problems.ts";
import { type Database, openEmbedded } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";

const start = Date.UTC(2025, 0, 2);

function bar(minute: number, tradeCount: number | null = null): Bar {
  return {
    symbol: "A",
    ts: start + minute * MINUTE,
    open: 1,
    high: 1,
    low: 1,
    close: 1,
    vol: null,
    vwap: null,
    tradeCount,
    origin: { file: "A.csv", line: minute + 2 },
  };
}

const minutes = (count: number) => Array.from({ length: count }, (_, minute) => bar(minute));

const times = (bars: readonly Bar[]) => bars.map((one) => one.ts).join();

async function holdAll(bars: Bar[], span: number): Promise<{ passed: Bar[]; held: Bar[] }> {
  async function* source() {
    yield* bars;
  }
  const iterator = holdRecent(source(), span);
  const passed: Bar[] = [];
  while (true) {
    const { value, done } = await iterator.next();
    if (done) return { passed, held: value };
    passed.push(value);
  }
}

Deno.test("holdRecent() holds the last span back, whatever the order, and passes every other bar on once", async () => {
  const bars = minutes(30_000);
  const shuffled = bars.toSorted((a, b) => (a.ts * 7919) % 104_729 - (b.ts * 7919) % 104_729);
  for (const input of [bars, bars.toReversed(), shuffled]) {
    const { passed, held } = await holdAll(input, 3 * HOUR);
    // Compared as text: a difference between thousands of objects takes minutes to print.
    assert.ok(times(held) === times(bars.slice(-180)));
    assert.ok(times(passed.toSorted((a, b) => a.ts - b.ts)) === times(bars.slice(0, -180)));
  }
});

Deno.test("holdRecent() holds nothing back for a span of zero", async () => {
  const { passed, held } = await holdAll(minutes(10), 0);
  assert.deepEqual([passed.length, held.length], [10, 0]);
});

let db: Database;
Deno.test.beforeAll(async () => {
  db = await openEmbedded();
  await migrate(db);
});
Deno.test.beforeEach(() => db.exec("truncate public.data_bars"));
Deno.test.afterAll(() => db.close());

Deno.test("loadBars() writes only what is new or differs", async () => {
  const problems = new Problems();
  assert.deepEqual(await loadBars(db, minutes(12_000), problems), { inserted: 12_000, changed: 0, unchanged: 0 });
  const versions = () =>
    db.query("select ts_utc, xmin::text from public.data_bars where ts_utc <> $1 order by ts_utc", [
      new Date(start),
    ]);
  const before = await versions();
  const again = minutes(12_001);
  again[0] = { ...again[0]!, high: 2 };
  assert.deepEqual(await loadBars(db, again, problems), { inserted: 1, changed: 1, unchanged: 11_999 });
  assert.ok(JSON.stringify((await versions()).slice(0, before.length)) === JSON.stringify(before));
  assert.equal(problems.any, false);
});

Deno.test("loadBars() tells of the rows that the database refuses, and loads the rest of their batches", async () => {
  await db.exec("alter table public.data_bars add constraint no_thirteen check (trade_count <> 13)");
  const problems = new Problems();
  const bars = minutes(6_000);
  for (const minute of [0, 1234, 4999, 5999]) bars[minute] = bar(minute, 13);
  assert.deepEqual(await loadBars(db, bars, problems), { inserted: 5_996, changed: 0, unchanged: 0 });
  const rows = problems.describeRows();
  assert.equal(rows[0], "A.csv: 4 rows refused (4 no_thirteen)");
  assert.deepEqual(rows.slice(1).map((row) => row.trim().split(" ")[0]), [
    "A.csv:2",
    "A.csv:1236",
    "A.csv:5001",
    "A.csv:6001",
  ]);
  await db.exec("alter table public.data_bars drop constraint no_thirteen");
});

Deno.test("loadBars() gives up on an error that is not about a row", async () => {
  await db.exec("alter table public.data_bars rename to elsewhere");
  try {
    await assert.rejects(loadBars(db, minutes(10), new Problems()), { code: "42P01" });
  } finally {
    await db.exec("alter table public.elsewhere rename to data_bars");
  }
});
