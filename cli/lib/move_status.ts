import { alignColumns } from "./table.ts";

/** A row of move_status. */
export interface MoveRow {
  subject: string;
  outcome: string;
  rows: number | null;
  explanation: string | null;
}

/** What a move took over and what stayed, as a table. */
export function describeMove(rows: readonly MoveRow[]): string {
  if (rows.length === 0) return "No older deployment is set aside.";
  return alignColumns([
    ["what", "outcome", "rows", "explanation"],
    ...rows.map(({ subject, outcome, rows, explanation }) => [subject, outcome, `${rows ?? ""}`, explanation ?? ""]),
  ]).join("\n");
}
