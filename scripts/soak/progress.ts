import type { Database } from "../lib/database.ts";

/** One line of progress: the simulated instant, the operations so far, the rows stored and those that wait. */
export async function describeProgress(db: Database, now: number, operations: number): Promise<string> {
  const [counts] = await db.query<Record<"minutes" | "bars" | "removed" | "notes" | "corrections", number>>(
    `select
       (select count(*) from public.data_bars) as minutes,
       (select count(*) from public.derived_data_bars as d where d.deleted_at is null) as bars,
       (select count(*) from public.derived_data_bars as d where d.deleted_at is not null) as removed,
       (select count(*) from agg.change_note) as notes,
       (select count(*) from agg.correction) as corrections`,
  );
  const { minutes, bars, removed, notes, corrections } = counts!;
  return `${new Date(now).toISOString().slice(0, 16)}  ${operations} operations  ${minutes} minutes  ${bars} bars  ` +
    `${removed} removed  waiting: ${notes} notes, ${corrections} corrections`;
}
