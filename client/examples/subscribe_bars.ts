import { createClient } from "@supabase/supabase-js";
import process from "node:process";
import { createPgbars } from "../mod.ts";

const { SUPABASE_URL, SUPABASE_SECRET_KEY } = process.env;
const pgbars = createPgbars(createClient(SUPABASE_URL!, SUPABASE_SECRET_KEY!));

const subscription = pgbars.subscribeBars({
  symbols: ["EURUSD", "DXY"],
  timeframe: "5m",
  onBars: ({ bars, gone }) => {
    for (const { canonical_symbol, ts_utc, close } of bars) console.log(canonical_symbol, ts_utc.toISOString(), close);
    for (const { canonical_symbol, ts_utc } of gone) console.log(canonical_symbol, ts_utc.toISOString(), "is gone");
  },
  onError: (error) => console.error(error),
});
setTimeout(async () => {
  await subscription.unsubscribe();
  process.exit(); // supabase-js would try for another minute to connect, where there is no Realtime.
}, 3_000);
