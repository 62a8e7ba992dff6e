import assert from "node:assert/strict";
import { openDatabase } from "../../cli/lib/database.ts";
import type { Bar } from "../../cli/lib/import/bar.ts";
import { BarList } from "../../cli/lib/import/bar_list.ts";
import { COPIED_COLUMNS, encodeBars } from "../../cli/lib/import/binary_copy.ts";
import { openEngine } from "../support/engine.ts";

Deno.test("encodeBars() writes what copy reads: any symbol, times before 2000, large counts, unknown values, over parts", async () => {
  await using engine = await openEngine();
  const bars = Array.from({ length: 12_000 }, (_, index): Bar => ({
    ...{ symbol: ["ä€\t\\", "A", "B"][index % 3]!, ts: (index - 6000) * 60_000 },
    ...{ open: -1.5, high: 0.1 + 0.2, low: -2, close: 1e-9 },
    vol: index % 2 === 0 ? 3.25 : null,
    vwap: index % 7 === 0 ? 1 / 3 : null,
    tradeCount: index % 5 === 0 ? 999_999_990_000 + index % 100 : index % 5 === 1 ? 0 : null,
    ...(index % 11 === 0 && { isPartial: true }),
  }));
  const db = await openDatabase(engine.url);
  try {
    await db.exec("begin");
    await db.copyIn(
      `copy public.data_bars (${COPIED_COLUMNS.join()}) from stdin (format binary)`,
      encodeBars(BarList.of(bars)),
    );
    await db.exec("commit");
  } finally {
    await db.close();
  }
  const rows = await engine.db.query<Record<string, unknown>>(
    `select ${COPIED_COLUMNS.map((name) => `b.${name}`).join()} from public.data_bars as b order by b.ts_utc`,
  );
  const expected = bars.map(({ symbol, ts, tradeCount, isPartial = false, ...values }) => ({
    ...{ canonical_symbol: symbol, ts_utc: new Date(ts), ...values, trade_count: tradeCount, is_partial: isPartial },
  }));
  // Compared as text: a difference between thousands of objects takes minutes to print.
  const text = (rows: Record<string, unknown>[]) =>
    rows.map((row) => JSON.stringify(COPIED_COLUMNS.map((name) => row[name])));
  assert.equal(rows.length, 12_000);
  const [stored, wanted] = [text(rows), text(expected)];
  const first = stored.findIndex((row, index) => row !== wanted[index]);
  assert.deepEqual(stored[first], wanted[first]);
});

Deno.test("copyIn() leaves it to the next statement to say that a row was refused, early or late, and the session goes on", async () => {
  await using engine = await openEngine();
  const db = await openDatabase(engine.url);
  try {
    await db.exec("create temporary table numbers (a integer)");
    for (const parts of [["x\n"], Array.from({ length: 2000 }, () => "x\n".repeat(1000)), ["1\n", "x\n"]]) {
      await db.exec("begin");
      await db.copyIn("copy numbers (a) from stdin", parts);
      await assert.rejects(db.query("select 1"), { code: "25P02" });
      await db.exec("rollback");
    }
    await db.exec("begin");
    await db.copyIn("copy numbers (a) from stdin", ["1\n", "2\n3\n"]);
    await db.exec("commit");
    assert.deepEqual(await db.query("select sum(a)::int as sum from numbers"), [{ sum: 6 }]);
  } finally {
    await db.close();
  }
});
