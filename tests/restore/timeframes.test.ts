import assert from "node:assert/strict";
import { runDue } from "../support/dispatch.ts";
import { openEngine } from "../support/engine.ts";
import { runRecipe } from "./recipes.ts";

Deno.test("daily and weekly bars come out by the recipe, and bars of a thin market", async () => {
  await using engine = await openEngine();
  const { db, cluster, url } = engine;
  const folder = await Deno.makeTempDir();
  try {
    for (const title of ["Daily and weekly bars", "Thin markets"]) {
      // Repeated, a recipe changes nothing.
      for (let time = 0; time < 2; time++) await runRecipe(cluster, title, { folder, URL: url });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  // A week of currencies, with minutes on the weekend that are in no bar, and three trades of the thin market.
  await db.exec(`
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    select 'EURUSD', m.ts_utc, 1, 2, 1, 1
    from generate_series(timestamptz '2026-01-04 00:00Z', timestamptz '2026-01-11 23:00Z', interval '1 minute') as m (ts_utc);
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    select 'XRPETH', m.ts_utc, 1, 2, 1, 1
    from unnest(array[timestamptz '2026-01-05 00:01Z', '2026-01-05 00:59Z', '2026-01-05 02:30Z']) as m (ts_utc);
  `);
  await runDue(db, new Date("2026-01-11T23:00:00Z"));
  const bars = await db.query<{ bar: string }>(`
    select format(
      '%s %s %s %s', d.canonical_symbol, d.timeframe, to_char(d.ts_utc at time zone 'UTC', 'DD HH24:MI'), d.covered_minutes
    ) as bar
    from public.derived_data_bars as d
    where d.deleted_at is null and (d.canonical_symbol = 'XRPETH' or d.timeframe in ('1d', '1w'))
    order by d.canonical_symbol desc, d.timeframe, d.ts_utc`);
  assert.deepEqual(bars.map(({ bar }) => bar), [
    "XRPETH 1h 05 00:00 2",
    "XRPETH 5m 05 00:00 1",
    "XRPETH 5m 05 00:55 1",
    "XRPETH 5m 05 02:30 1",
    "EURUSD 1d 04 22:00 1440",
    "EURUSD 1d 05 22:00 1440",
    "EURUSD 1d 06 22:00 1440",
    "EURUSD 1d 07 22:00 1440",
    "EURUSD 1d 08 22:00 1440",
    "EURUSD 1w 04 22:00 7200",
  ]);
});
