export const KINDS = ["closed", "early_close", "late_opening", "special_opening"] as const;

/** A day of a calendar as `import_calendar` takes it. Times are local, such as "13:00". */
export interface CalendarDay {
  day: string;
  kind: typeof KINDS[number];
  opens_at?: string;
  closes_at?: string;
}

/** A day and where in the file it comes from, for people. */
export interface ReadDay {
  day: CalendarDay;
  origin: string;
}

/** What is wrong with a file, all of it at once. */
export class FileProblems extends Error {
  constructor(problems: string[]) {
    super(problems.join("\n"));
  }
}
