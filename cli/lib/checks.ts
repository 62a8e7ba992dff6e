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

const ORDER = ["PASS", "WARN", "FAIL"] as const;

export function worstStatus(rows: readonly CheckRow[]): CheckRow["status"] {
  return ORDER.findLast((status) => rows.some((row) => row.status === status)) ?? "PASS";
}

/** One line of summary, and a table. A row that is not fine has its hint below. */
export function describeChecks(rows: readonly CheckRow[]): string {
  const names = [...new Set(rows.map(({ check }) => check))];
  const groups = names.map((name) => rows.filter(({ check }) => check === name));
  const statuses = groups.map(worstStatus);
  const count = (status: string) => statuses.filter((each) => each === status).length;
  const summary = `${worstStatus(rows)}: ${names.length} checks, ${count("WARN")} of them warn and ${
    count("FAIL")
  } fail.`;

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
