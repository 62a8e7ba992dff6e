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
  const summary = `${worstStatus(rows)}: ${statuses.length} checks, ${count("WARN")} of them warn and ${
    count("FAIL")
  } fail.`;

  const width = (column: "check" | "subject") =>
    rows.reduce((longest, row) => Math.max(longest, printable(row[column]).length), 0);
  const widths = { check: width("check"), subject: width("subject") };
  const lines = groups.flatMap((group) => [
    ...group.slice(0, SHOWN).flatMap(({ check, subject, status, value, hint }) => [
      `${status}  ${printable(check).padEnd(widths.check)}  ${printable(subject).padEnd(widths.subject)}  ${
        printable(value)
      }`
        .trimEnd(),
      ...status !== "PASS" && hint ? [`      ${printable(hint)}`] : [],
    ]),
    ...group.length > SHOWN ? [`      ... and ${group.length - SHOWN} more of ${group[0]!.check}`] : [],
  ]);
  return [summary, "", ...lines].join("\n");
}

/** Text of a database for a terminal: without control characters. */
function printable(text: string | null): string {
  return (text ?? "").replaceAll(/\p{Cc}+/gu, " ");
}
