import type { Database } from "../lib/database.ts";

/** The first minute of every benchmark, in UTC. */
export const START = new Date("2025-07-01T00:00:00Z");

const MINUTE = 60_000;

/** The instant `minutes` after the start. */
export function minute(minutes: number): Date {
  return new Date(START.getTime() + minutes * MINUTE);
}

/**
 * Registers `symbols` assets with their tasks, and loads `minutes` minutes of 1m bars for each, without gaps: minute by
 * minute when `arrival` is `live`, as ingest would, otherwise symbol by symbol. `metadata` is that of each asset. Leaves the
 * tables without statistics.
 */
export async function loadMarket(
  db: Database,
  { symbols, minutes, arrival, metadata = {} }: {
    symbols: number;
    minutes: number;
    arrival: "live" | "history";
    metadata?: Record<string, unknown>;
  },
): Promise<void> {
  await db.exec(`
    update public.core_asset_registry_all set active = false;
    insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
    select 'S' || lpad(s::text, 5, '0'), true, '${JSON.stringify(metadata)}' from generate_series(1, ${symbols}) as s;
    select public.sync_agg_state_from_registry('prod', '${START.toISOString()}');
  `);
  await db.exec("select setseed(0.5)");
  // History a hundred symbols a statement: the notes of a statement are sorted.
  const step = arrival === "live" ? symbols : 100;
  for (let first = 1; first <= symbols; first += step) {
    const series = [
      `generate_series(${first}, ${Math.min(first + step - 1, symbols)}) as s`,
      `generate_series(0, ${minutes - 1}) as m`,
    ];
    if (arrival === "live") series.reverse();
    await db.exec(`
      insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
      select
        'S' || lpad(s::text, 5, '0'), timestamptz '${START.toISOString()}' + m * interval '1 minute',
        p.price, p.price + 1, p.price - 1, p.price + 0.5, 10 + p.price, p.price + 0.25, 5
      from ${series.join(" cross join ")} cross join lateral (select 100 + random() * 10 + s * 0 + m * 0 as price) as p
    `);
  }
}

/** Switches off every task but those of `timeframe`. */
export async function keepOnly(db: Database, timeframe: string): Promise<void> {
  await db.query("update public.data_agg_state set enabled = false, status = 'disabled' where timeframe <> $1", [
    timeframe,
  ]);
}

/** Leaves no work of an earlier measurement to a later one. */
export async function settle(db: Database): Promise<void> {
  await db.query("vacuum analyze");
  await db.query("checkpoint");
}

/** Takes back to its start what has been built of 5m, as if nothing ever had been. */
export async function startOver(db: Database): Promise<void> {
  await db.exec(`
    truncate public.derived_data_bars;
    select public.agg_bootstrap_cursor(canonical_symbol, timeframe) from public.data_agg_state where timeframe = '5m' and enabled;
    update public.data_agg_state set built_to_utc = null;
  `);
  await settle(db);
}
