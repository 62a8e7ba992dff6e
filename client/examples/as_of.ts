import { createClient } from "@supabase/supabase-js";
import process from "node:process";
import { createPgbars } from "../mod.ts";

const { SUPABASE_URL, SUPABASE_SECRET_KEY } = process.env;
const pgbars = createPgbars(createClient(SUPABASE_URL!, SUPABASE_SECRET_KEY!));

const yesterday = new Date(Date.now() - 24 * 60 * 60_000);
for (
  const { canonical_symbol, timeframe, ts_utc, changed_at, reason, before } of await pgbars.getChanges({
    from: yesterday,
  })
) {
  console.log(canonical_symbol, timeframe, ts_utc.toISOString(), reason, "close was", before?.close ?? "unknown");

  // What a reader saw just before the change.
  const [bar] = await pgbars.getBars({
    symbols: [canonical_symbol],
    timeframe,
    from: ts_utc,
    to: new Date(ts_utc.getTime() + 1),
    asOf: new Date(changed_at.getTime() - 1),
  });
  console.log("as of then:", bar?.close ?? "no bar");
}
