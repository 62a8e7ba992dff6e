import { alignColumns } from "./table.ts";

/** A row of agg_check. */
export interface CheckRow {
  check: string;
  subject: string;
  status: "PASS" | "WARN" | "FAIL";
  value: string | null;
  hint: string | null;
}

/** Rows shown of one check. All of them are in the JSON. */
const SHOWN = 20;

/** The check of the first row: the worst status of all checks, and how many there are. */
const VERDICT = "verdict";

const ORDER = ["PASS", "WARN", "FAIL"] as const;

export function worstStatus(rows: readonly CheckRow[]): CheckRow["status"] {
  return ORDER.findLast((status) => rows.some((row) => row.status === status)) ?? "PASS";
}

/** The verdict in a line, and a table of what needs attention, each row with its hint below. */
export function describeChecks(rows: readonly CheckRow[]): string {
  const verdict = rows.find(({ check }) => check === VERDICT);
  const found = rows.filter((row) => row !== verdict);
  const names = [...new Set(found.map(({ check }) => check))];
  const groups = names.map((name) => found.filter(({ check }) => check === name));
  const summary = `${worstStatus(rows)}: ${verdict?.value ?? `${names.length} checks`}`;
  if (found.length === 0) return summary;

  const shown = groups.flatMap((group) => group.slice(0, SHOWN));
  const lines = alignColumns(shown.map((row) => [row.status, row.check, row.subject, row.value ?? ""]));
  const details = shown.map((row, index) => {
    const group = groups[names.indexOf(row.check)]!;
    const left = row === group[SHOWN - 1] ? group.length - SHOWN : 0;
    return [
      lines[index]!,
      ...row.status !== "PASS" && row.hint ? alignColumns([["    ", row.hint]]) : [],
      ...left > 0 ? [`      ... and ${left} more of ${row.check}`] : [],
    ];
  });
  return [summary, "", ...details.flat()].join("\n");
}
