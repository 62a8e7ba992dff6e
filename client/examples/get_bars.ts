import { createClient } from "@supabase/supabase-js";
import process from "node:process";
import { createPgbars } from "../mod.ts";

const { SUPABASE_URL, SUPABASE_SECRET_KEY } = process.env;
const pgbars = createPgbars(createClient(SUPABASE_URL!, SUPABASE_SECRET_KEY!));

const latest = await pgbars.getBars({
  symbols: ["EURUSD", "DXY"],
  timeframe: "5m",
  last: 2,
  fill: true,
  forming: true,
});
for (const { canonical_symbol, ts_utc, close, is_filled, is_forming } of latest) {
  console.log(canonical_symbol, ts_utc.toISOString(), close, is_filled ? "filled" : is_forming ? "forming" : "decided");
}
