import Table from "cli-table3";
import type { Measurement } from "./measure.ts";

/** The measurements as a table; a ratio above 1 says that pgbars was faster. */
export function renderReport(measurements: readonly Measurement[]): string {
  const table = new Table({
    head: ["work", "pgbars", "against", "its time", "its time / pgbars", "budget", "met"],
    style: { head: [], border: [] },
  });
  for (const { work, pgbars, unit, against, budget } of measurements) {
    table.push([
      work,
      unit === "MB" ? `${pgbars.toFixed(0)} MB` : milliseconds(pgbars),
      against?.name ?? "",
      against ? milliseconds(against.milliseconds) : "",
      against ? `${(against.milliseconds / pgbars).toFixed(2)}x` : "",
      budget.text,
      budget.met ? "yes" : "NO",
    ]);
  }
  return table.toString();
}

function milliseconds(value: number): string {
  return value < 100 ? `${value.toFixed(1)} ms` : `${(value / 1000).toFixed(2)} s`;
}
