import assert from "node:assert/strict";
import { useCluster } from "../../scripts/lib/cluster.ts";
import { openServer } from "../../scripts/lib/database.ts";
import { readSchemaScript } from "../../scripts/lib/schemas.ts";
import { readValue } from "../support/dispatch.ts";
import { disposable } from "../support/cron.ts";
import { PAIRS } from "../support/pairs.ts";

/** The end of the statement that makes data_bars. */
const TABLE_END =
  "constraint data_bars_trade_count_in_range check (trade_count >= 0 and trade_count <= 1000000000000)\n);";
const TWO_MONTHS = 2 * 31 * 1440;

Deno.test("a synthetic series takes away its own minutes alone where data_bars is partitioned by time", async () => {
  await using cluster = await useCluster();
  const url = await cluster.createDatabase(`pgbars_${crypto.randomUUID().replaceAll("-", "")}`);
  await using db = disposable(await openServer(url));
  const script = await readSchemaScript();
  const parts = script.split(TABLE_END);
  assert.equal(parts.length, 2, "the schema has one table of 1m bars");
  await db.exec(parts.join(
    TABLE_END.replace(
      /;$/,
      ` partition by range (ts_utc);
      create table public.data_bars_july partition of public.data_bars for values from ('2025-07-01') to ('2025-08-01');
      create table public.data_bars_august partition of public.data_bars for values from ('2025-08-01') to ('2025-09-01');`,
    ),
  ));

  // The same rows at the same places of both partitions.
  await db.query(
    `insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
     select p.symbol, d.day + n * interval '1 minute', 1, 1, 1, 1
     from unnest(array['2025-07-01', '2025-08-01']::timestamptz[]) as d (day)
     cross join unnest($1::text[]) as p (symbol)
     cross join generate_series(0, 9) as n`,
    [PAIRS],
  );
  const derive = () =>
    readValue<Record<string, number>>(
      db,
      "select public.calc_dxy_range_1m('2025-07-01', $1::timestamptz + make_interval(mins => $2))",
      [new Date("2025-07-01T00:00:00Z"), TWO_MONTHS],
    );
  assert.equal((await derive()).inserted, 20);
  // A second basket with the same minutes, of which none goes away.
  await db.exec(`
    insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values
      ('TWIN', true, '{"is_synthetic": true, "components": ["EURUSD"], "component_weights": {"EURUSD": 1}, "formula_base": 1}');
    select public.derive_synthetic_range('TWIN', '2025-07-01', '2025-09-01')`);

  await db.exec(`
    delete from public.data_bars
    where canonical_symbol = 'USDSEK' and ts_utc in ('2025-08-01 00:01+00', '2025-08-01 00:02+00')`);
  const result = await derive();
  assert.deepEqual([result.removed, result.unchanged], [2, 18]);
  const counts = await db.query<{ symbol: string; bars: number }>(
    `select b.canonical_symbol as symbol, count(*)::integer as bars
     from public.data_bars as b group by 1 order by 1`,
  );
  assert.deepEqual(
    Object.fromEntries(counts.map(({ symbol, bars }) => [symbol, bars])),
    { ...Object.fromEntries(PAIRS.map((pair) => [pair, pair === "USDSEK" ? 18 : 20])), DXY: 18, TWIN: 20 },
  );

  // The dispatcher builds both series and their longer bars on the same table.
  await db.exec("update public.data_agg_state set agg_start_utc = '2025-07-01'");
  const run = await readValue<{ failed: number; bars_created: number }>(
    db,
    "select public.agg_run_due(p_now => '2025-08-01 03:00+00')",
  );
  assert.deepEqual([run.failed, run.bars_created > 0], [0, true]);
});
