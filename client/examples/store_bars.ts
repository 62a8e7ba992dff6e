import { createClient } from "@supabase/supabase-js";
import process from "node:process";
import { createPgbars, PgbarsError } from "../mod.ts";

const { SUPABASE_URL, SUPABASE_SECRET_KEY } = process.env;
const pgbars = createPgbars(createClient(SUPABASE_URL!, SUPABASE_SECRET_KEY!));

try {
  const { inserted, updated, unchanged, refused } = await pgbars.upsertBars([
    { canonical_symbol: "EURUSD", ts_utc: "2026-01-05T12:00:00Z", open: 1.087, high: 1.088, low: 1.087, close: 1.088 },
    { canonical_symbol: "EURUSD", ts_utc: "2026-01-05T12:01:00Z", open: 1.088, high: 1.087, low: 1.087, close: 1.088 },
  ]);
  console.log(`${inserted} inserted, ${updated} updated, ${unchanged} unchanged`);
  for (const { index, constraint, problem } of refused) console.log(`row ${index}: ${constraint ?? problem}`);
} catch (error) {
  if (!(error instanceof PgbarsError)) throw error;
  console.error(error.message, error.soFar);
  process.exitCode = 1;
}
