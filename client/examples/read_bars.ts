import { createClient } from "@supabase/supabase-js";
import process from "node:process";
import { createPgbars } from "../mod.ts";

const { SUPABASE_URL, SUPABASE_SECRET_KEY } = process.env;
const pgbars = createPgbars(createClient(SUPABASE_URL!, SUPABASE_SECRET_KEY!));

const bars = await pgbars.fetchBars({
  symbols: ["EURUSD", "DXY"],
  timeframe: "5m",
  from: "2025-09-03T12:00:00Z",
  to: "2025-09-03T12:30:00Z",
});
for (const { canonical_symbol, ts_utc, close, quality_score } of bars) {
  console.log(canonical_symbol, ts_utc.toISOString(), close, quality_score);
}
