import assert from "node:assert/strict";
import type { Asset } from "../../model/histories.ts";
import type { Database } from "../../scripts/lib/database.ts";

/** Registers the assets as they are sketched, which makes their tasks, with cursors at the start. */
export async function registerAssets(db: Database, assets: Asset[]): Promise<void> {
  for (const { symbol, rules } of assets) {
    await db.query(
      "insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values ($1, true, $2::jsonb)",
      [symbol, {
        agg: {
          start_utc: new Date(rules.startUtc).toISOString(),
          quality: { good: rules.goodPercent, poor: rules.poorPercent },
          session: rules.session ?? "24x7",
        },
      }],
    );
  }
  const [made] = await db.query<{ tasks: number }>(
    "select count(*)::integer as tasks from public.data_agg_state as s where s.enabled and s.canonical_symbol = any ($1)",
    [assets.map(({ symbol }) => symbol)],
  );
  assert.equal(made!.tasks, 2 * assets.length);
  for (const { symbol, delaySeconds } of assets) {
    await db.query(
      `update public.data_agg_state as s
       set aggregation_delay_seconds = case s.timeframe when '5m' then $2::integer else $3::integer end
       where s.canonical_symbol = $1`,
      [symbol, delaySeconds["5m"], delaySeconds["1h"]],
    );
  }
  await bootstrapAll(db);
}

/** Sets every cursor back to its start. */
export async function bootstrapAll(db: Database): Promise<void> {
  await db.query(
    "select public.agg_bootstrap_cursor(s.canonical_symbol, s.timeframe) from public.data_agg_state as s",
  );
}
