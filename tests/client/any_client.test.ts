import { createClient } from "@supabase/supabase-js";
import assert from "node:assert/strict";
import { createPgbars, type Database } from "../../client/mod.ts";
import { ENGINES } from "../support/stack.ts";
import { storeMinutes } from "./stored.ts";

interface OtherDatabase {
  private: {
    Tables: { mine: { Row: { id: number }; Insert: { id: number }; Update: { id?: number }; Relationships: [] } };
    Views: Record<never, never>;
    Functions: Record<never, never>;
  };
}

Deno.test("createPgbars() takes any client, whatever it is typed for and whatever schema it is set to", async () => {
  await using stack = await ENGINES["PGlite"]!();
  const { url, keys: { secret } } = stack;
  await storeMinutes(stack.db, "EURUSD", "2025-07-01T00:00Z", 3);
  const clients = [
    createPgbars(createClient(url, secret)),
    createPgbars(createClient<Database>(url, secret)),
    createPgbars(createClient(url, secret, { db: { schema: "private" } })),
    createPgbars(createClient<OtherDatabase>(url, secret, { db: { schema: "private" } })),
  ];
  const window = { symbols: ["EURUSD"], from: "2025-07-01T00:00Z", to: "2025-07-01T01:00Z" };
  for (const client of clients) {
    assert.equal((await client.fetch1mBars(window)).length, 3);
    assert.equal((await client.syncRegistry()).refused.length, 0);
  }
});
