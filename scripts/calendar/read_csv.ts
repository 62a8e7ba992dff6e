import { parse } from "csv-parse/sync";
import { describeError } from "../../cli/lib/error.ts";
import { type CalendarDay, FileProblems, KINDS, type ReadDay } from "./day.ts";

interface Row {
  record: Record<string, string>;
  info: { lines: number };
}

/** Reads days from a CSV text with a header. What the values may be, `import_calendar` says. Throws {@link FileProblems}. */
export function readCsv(text: string): ReadDay[] {
  let rows: Row[];
  try {
    rows = parse(text, {
      bom: true,
      columns: (names: string[]) => names.map((name) => name.toLowerCase() === "date" ? "day" : name.toLowerCase()),
      info: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as Row[];
  } catch (cause) {
    throw new FileProblems([describeError(cause)]);
  }
  if (rows.length > 0 && !("day" in rows[0]!.record)) throw new FileProblems(["the header has no column day"]);
  const problems: string[] = [];
  const days = rows.flatMap(({ record, info }) => {
    try {
      return [{ day: readRow(record), origin: `line ${info.lines}` }];
    } catch (error) {
      problems.push(`line ${info.lines}: ${describeError(error)}`);
      return [];
    }
  });
  if (problems.length > 0) throw new FileProblems(problems);
  return days;
}

function readRow({ day = "", kind = "", opens_at = "", closes_at = "" }: Record<string, string>): CalendarDay {
  if (!/^\d{4}-\d\d-\d\d$/.test(day) || !isDate(day)) {
    throw new Error(`day must be a date such as 2026-12-25, not "${day}"`);
  }
  return {
    day,
    kind: readKind(kind, opens_at, closes_at),
    ...opens_at === "" ? {} : { opens_at },
    ...closes_at === "" ? {} : { closes_at },
  };
}

function isDate(text: string): boolean {
  try {
    Temporal.PlainDate.from(text);
    return true;
  } catch {
    return false;
  }
}

function readKind(kind: string, opensAt: string, closesAt: string): CalendarDay["kind"] {
  const known = KINDS.find((name) => name === kind.toLowerCase().replaceAll(/[ -]/g, "_"));
  if (known !== undefined) return known;
  if (kind !== "") throw new Error(`kind must be ${KINDS.join(", ")} or empty, not "${kind}"`);
  if (opensAt !== "" && closesAt !== "") throw new Error("both times are given: say in kind what they mean");
  return opensAt !== "" ? "late_opening" : closesAt !== "" ? "early_close" : "closed";
}
