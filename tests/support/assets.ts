import assert from "node:assert/strict";
import type { Asset } from "../../model/histories.ts";
import { addCalendar } from "../../scripts/lib/play/calendar.ts";
import type { Database } from "../../scripts/lib/database.ts";

/** Registers the assets as they are sketched, which makes their tasks, with cursors at the start. */
export async function registerAssets(db: Database, assets: Asset[]): Promise<void> {
  for (const { symbol, rules, metadata } of assets) {
    if (rules.calendar) await addCalendar(db, rules.calendar);
    await db.query(
      "insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values ($1, true, $2::jsonb)",
      [symbol, { agg: metadata }],
    );
  }
  const [made] = await db.query<{ tasks: number }>(
    "select count(*)::integer as tasks from public.data_agg_state as s where s.enabled and s.canonical_symbol = any ($1)",
    [assets.map(({ symbol }) => symbol)],
  );
  assert.equal(made!.tasks, assets.flatMap(({ timeframes }) => timeframes).length);
  await db.query(
    `update public.data_agg_state as s
     set aggregation_delay_seconds = ($1::jsonb -> s.canonical_symbol ->> s.timeframe)::integer
     where $1::jsonb ? s.canonical_symbol`,
    [Object.fromEntries(assets.map(({ symbol, delaySeconds }) => [symbol, delaySeconds]))],
  );
  await bootstrapAll(db);
}

/** Sets every cursor back to its start. */
export async function bootstrapAll(db: Database): Promise<void> {
  await db.query(
    "select public.agg_bootstrap_cursor(s.canonical_symbol, s.timeframe) from public.data_agg_state as s",
  );
}
