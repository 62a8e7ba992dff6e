import type { Database } from "../lib/database.ts";
import { time } from "./measure.ts";

const SQL = await Deno.readTextFile(new URL("bare.sql", import.meta.url));

/** Milliseconds of the bare statement over the minutes in [from, to), on a plan that reads by key and sorts nothing. */
export async function timeBare(db: Database, from: Date, to: Date): Promise<number> {
  await db.exec("set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off; set work_mem = '64MB'");
  try {
    return await time(() => db.query(SQL, [from, to]));
  } finally {
    await db.exec("reset enable_seqscan; reset enable_bitmapscan; reset enable_sort; reset work_mem");
  }
}
