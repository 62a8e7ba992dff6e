import assert from "node:assert/strict";
import { runDue } from "../support/dispatch.ts";
import { openEngine } from "../support/engine.ts";
import { readRecipe, runRecipe } from "./recipes.ts";

const TITLE = "Come from TimescaleDB";
const NOW = new Date("2026-01-07T00:00:00Z");

Deno.test("minutes and hours of TimescaleDB are taken over and compared by the recipe", async () => {
  await using engine = await openEngine();
  const { db, cluster, url } = engine;
  // A hypertable and a continuous aggregate are read as a table and a view.
  await db.exec(`
    create table public.ohlc_1m (symbol text, ts timestamptz, open float8, high float8, low float8, close float8, volume float8);
    create view public.ohlc_1h as
    select
      m.symbol, date_trunc('hour', m.ts, 'UTC') as ts, (array_agg(m.open order by m.ts))[1] as open, max(m.high) as high,
      min(m.low) as low, (array_agg(m.close order by m.ts desc))[1] as close, sum(m.volume) as volume
    from public.ohlc_1m as m
    where m.symbol <> 'STALE' or m.volume < 100
    group by 1, 2;
    insert into public.ohlc_1m
    select s.symbol, m.ts, 10 + n.n, 12 + n.n, 9 + n.n, 11 + n.n, 1
    from unnest(array['EURUSD', 'STALE', 'THIN']) as s (symbol)
    cross join generate_series(timestamptz '2026-01-05 00:00Z', timestamptz '2026-01-06 22:59Z', interval '1 minute') as m (ts)
    cross join lateral (select extract(epoch from m.ts)::bigint / 60 % 7) as n (n)
    -- 30 minutes of the first hour, 40 of the next, all of the last.
    where s.symbol <> 'THIN' or m.ts >= '2026-01-06 22:00Z'
      or m.ts < '2026-01-05 02:00Z' and extract(minute from m.ts) < 30 + 10 * extract(hour from m.ts at time zone 'UTC');`);
  const folder = await Deno.makeTempDir();
  try {
    await runRecipe(cluster, TITLE, { folder, URL: url });
    await runDue(db, NOW);
    // What comes later, and what comes late, which the policy of STALE does not look back for.
    await db.exec(`
      insert into public.ohlc_1m
      select 'EURUSD', m.ts, 1, 1, 1, 1, 1
      from generate_series(timestamptz '2026-01-06 23:00Z', timestamptz '2026-01-06 23:59Z', interval '1 minute') as m (ts);
      update public.ohlc_1m set volume = 100 where symbol = 'STALE' and ts = '2026-01-05 07:59Z';`);
    await runRecipe(cluster, TITLE, { folder, URL: url });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  await runDue(db, new Date("2026-01-07T00:10:00Z"));
  const bars = await db.query(`
    select r.canonical_symbol as symbol, r.metadata #>> '{agg,start_utc}' as start, count(d.ts_utc)::int as hours
    from public.core_asset_registry_all as r
    left join public.derived_data_bars as d on d.canonical_symbol = r.canonical_symbol and d.timeframe = '1h' and d.deleted_at is null
    where r.canonical_symbol <> 'DXY'
    group by r.canonical_symbol order by 1`);
  const start = "2026-01-05T00:00:00+00:00";
  assert.deepEqual(bars, [
    { symbol: "EURUSD", start, hours: 48 },
    { symbol: "STALE", start, hours: 47 },
    { symbol: "THIN", start, hours: 2 },
  ]);
  const rows = await db.query<{ symbol: string; ts: Date; minutes: number }>(await readRecipe(TITLE, "sql"));
  assert.deepEqual(rows.map(({ symbol, ts, minutes }) => `${symbol} ${ts.toISOString()} ${minutes}`), [
    "STALE 2026-01-05T07:00:00.000Z 60",
    "THIN 2026-01-05T00:00:00.000Z 0",
  ]);
});
