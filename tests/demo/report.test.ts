import assert from "node:assert/strict";
import { explainColumns, renderTasks, type TaskRow } from "../../scripts/demo/report.ts";

const task: TaskRow = {
  canonical_symbol: "EURUSD",
  timeframe: "5m",
  source_bars: 132_612,
  windows: 31_195,
  bars: 20_184,
  excellent: 20_000,
  good: 150,
  poor: 34,
  no_bar: 11_011,
  gaps: 947,
  gap_windows: 11_000,
  cursor_utc: new Date("2025-09-22T15:50:00Z"),
  status: "idle",
};

Deno.test("renderTasks() shows the columns that fit, and explainColumns() explains those", () => {
  const always = ["symbol", "tf", "bars", "no bar", "cursor (UTC)"];
  for (
    const [width, more] of [
      [200, ["source", "windows", "excellent", "good", "poor", "in gaps", "status"]],
      [90, ["source", "windows", "excellent", "good", "poor"]],
      [80, ["source", "excellent", "good", "poor"]],
      [40, []],
    ] as const
  ) {
    const table = renderTasks([task], width);
    const [head, row] = table.split("\n");
    assert.deepEqual(new Set(head!.split(/ {2,}/)), new Set([...always, ...more]), `${width}`);
    assert.ok(row!.startsWith("EURUSD  5m"));
    if (width >= 80) assert.ok(row!.length <= width && head!.length <= width, table);
    const explained = explainColumns(table).map((line) => line.split(/:| =/)[0]);
    for (const column of ["source", "windows", "in gaps"]) {
      assert.equal(explained.includes(column), more.some((name) => name === column), `${width} ${column}`);
    }
  }
});
