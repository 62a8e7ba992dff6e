import { createClient } from "@supabase/supabase-js";
import process from "node:process";
import { createPgbars } from "../mod.ts";

const { SUPABASE_URL, SUPABASE_SECRET_KEY } = process.env;
const pgbars = createPgbars(createClient(SUPABASE_URL!, SUPABASE_SECRET_KEY!));

const { refused } = await pgbars.syncRegistry();
for (const { canonical_symbol, problem } of refused) console.log(`${canonical_symbol}: ${problem}`);

const from = new Date("2025-09-03T12:00:00Z");
const to = new Date(from.getTime() + 30 * 60_000);
const { inserted, updated, skipped_incomplete } = await pgbars.deriveDxyForWindow(from, to);
console.log(`${inserted} inserted, ${updated} updated, ${skipped_incomplete} without all six pairs`);
