import fc from "fast-check";
import assert from "node:assert/strict";
import { MINUTE } from "../../model/aggregator.ts";
import { type Asset, type AssetSketch, assetSketch, describeAsset, ORIGIN } from "../../model/histories.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { registerAssets } from "../support/assets.ts";
import { insertMinutes } from "../support/bars.ts";
import { checkProperty } from "../support/check_property.ts";
import { checkConverged } from "../support/converged.ts";
import { readValue, runDue } from "../support/dispatch.ts";
import { clearEngine, openEngine } from "../support/engine.ts";
import { addMinutes } from "../support/population.ts";

/** Long after every history. */
const END = new Date(ORIGIN + 90 * 24 * 60 * MINUTE);

const BASKET = "PAIR";

/** Fields of a derived bar, and what they are changed to. */
const FIELDS = [
  "open = low, close = high + 1, high = high + 2",
  "high = high + 1",
  "low = low - 1",
  "vol = coalesce(vol, 0) + 1",
  "vwap = coalesce(vwap, 0) + 1",
  "vwap_vol = coalesce(vwap_vol, 0) + 1",
  "trade_count = coalesce(trade_count, 0) + 1",
  "source_candles = source_candles + 1",
  "expected_candles = expected_candles + 1",
  "covered_minutes = covered_minutes + 1",
  "expected_minutes = expected_minutes + 1",
  "quality_score = case when quality_score = 2 then 0 else 2 end, deleted_at = null",
  "is_partial = not is_partial",
  "deleted_at = case when deleted_at is null then now() end, quality_score = coalesce(quality_score, 0)",
];
const MINUTE_FIELDS = ["high = high + 1, close = high + 1", "vol = vol + 1", "trade_count = 7", "raw = '{}'"];

interface Damage {
  kind: "change" | "delete" | "insert";
  /** Which row, as a share of all. */
  place: number;
  field: number;
  isMinute: boolean;
}

const damage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom("change", "delete", "insert"),
  place: fc.double({ min: 0, max: 0.999, noNaN: true }),
  field: fc.nat(1000),
  isMinute: fc.boolean(),
});

const RUNS = 10;
/** From so many markets on there are a hundred damages and more. */
const LONG_RUN = 25;

const sketches = fc.array(assetSketch, { minLength: 1, maxLength: 3 });
const damages = fc.array(damage, { minLength: 3, maxLength: 12 });

Deno.test("a round of the audit repairs bars that were changed, deleted or inserted, and writes nothing else", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  const done = { change: 0, delete: 0, insert: 0 };
  const runs = await checkProperty(RUNS, [sketches, damages], async (sketches, damages) => {
    await load(db, sketches);
    const before = await readRows(db);
    const damaged = new Set<string>();
    for (const item of damages) {
      const key = await harm(db, item);
      if (key !== undefined) done[item.kind]++;
      if (key !== undefined) damaged.add(key);
    }
    const touched = await readRows(db);

    const wrong = await audit(db, END);
    if (damaged.size > 0 && changed(before, touched)) assert.ok(wrong > 0, "the audit finds something");
    const { failed } = await runDue(db, END);
    assert.equal(failed, 0);
    const after = await readRows(db);
    assert.deepEqual(live(after), live(before), "bars");
    for (const [key, row] of touched) {
      if (!damaged.has(key)) assert.equal(after.get(key)?.version, row.version, `${key} was not wrong and was written`);
    }
    assert.deepEqual([...after.keys()].filter((key) => !touched.has(key) && !damaged.has(key)), [], "new rows");

    const later = addMinutes(END, 61);
    assert.equal(await audit(db, later), 0, "the next round finds nothing");
    assert.equal(
      await readValue(db, "select count(*) from agg.alert as a where a.kind = 'wrong' and a.resolved_at is null"),
      0,
    );
  });
  if (runs >= LONG_RUN) {
    assert.ok(
      done.change + done.delete + done.insert >= 100 && Math.min(...Object.values(done)) > 10,
      `each kind happens: ${JSON.stringify(done)}`,
    );
  }
});

Deno.test("a round of the audit finds minutes that were changed, deleted or inserted", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  const done = { change: 0, delete: 0, insert: 0 };
  const runs = await checkProperty(5, [sketches, damages], async (sketches, damages) => {
    const assets = await load(db, sketches);
    for (const item of damages) if (await harmSource(db, item)) done[item.kind]++;
    await audit(db, END);
    await runDue(db, END);
    await checkConverged(db, assets, END);
  });
  if (runs >= LONG_RUN) assert.ok(Math.min(...Object.values(done)) > 3, `each kind happens: ${JSON.stringify(done)}`);
});

/** Loads the assets and a basket of the first, and builds all bars. */
async function load(db: Database, sketches: AssetSketch[]): Promise<Asset[]> {
  await clearEngine(db);
  await db.exec("truncate agg.audit, public.derived_data_bars_revision");
  const assets = sketches.map((sketch, index) => describeAsset(sketch, `S${index}`));
  await registerAssets(db, assets);
  await db.query(
    `insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
     values ($1, true, jsonb_build_object(
       'agg', jsonb_build_object('start_utc', $2::text), 'is_synthetic', true, 'components', '["S0"]'::jsonb,
       'component_weights', '{"S0": 1}'::jsonb, 'formula_base', 2
     ))`,
    [BASKET, new Date(ORIGIN).toISOString()],
  );
  for (const { symbol, minutes } of assets) await insertMinutes(db, symbol, minutes);
  assert.equal((await runDue(db, END)).stopped_reason, "idle");
  return assets;
}

/** Calls agg_maintain until a round that began at `now` has ended. Returns how many windows were wrong. */
async function audit(db: Database, now: Date): Promise<number> {
  let wrong = 0;
  for (let call = 0; call < 12; call++) {
    const { windows_wrong } = await readValue<{ windows_wrong: number }>(
      db,
      "select public.agg_maintain(p_now => $1)",
      [
        addMinutes(now, call * 5),
      ],
    );
    wrong += windows_wrong;
    const open = "select count(*) from agg.audit as a where coalesce(a.verified_since, '-infinity') < $1";
    if (await readValue<number>(db, open, [now]) === 0) return wrong;
  }
  throw new Error("the round does not end");
}

interface Row {
  version: string;
  content: string;
  isLive: boolean;
}

/** Every derived bar and every minute. */
async function readRows(db: Database): Promise<Map<string, Row>> {
  const rows = await db.query<Row & { key: string }>(
    `select
       format('%s %s %s', d.canonical_symbol, d.timeframe, d.ts_utc) as key, format('%s %s', d.ctid, d.xmin) as version,
       (to_jsonb(d) - '{created_at,updated_at,deleted_at}'::text[])::text as content, d.deleted_at is null or d.covered_minutes > 0 as "isLive"
     from public.derived_data_bars as d
     union all
     select
       format('%s %s %s', d.canonical_symbol, d.timeframe, d.ts_utc), format('%s %s', d.ctid, d.xmin),
       (to_jsonb(d) - '{ingested_at,created_at,updated_at}'::text[])::text, true
     from public.data_bars as d`,
  );
  return new Map(rows.map(({ key, ...row }) => [key, row]));
}

/** Bars and thin windows: what is compared and built from. */
function live(rows: Map<string, Row>) {
  return [...rows].filter(([, { isLive }]) => isLive).map(([key, { content }]) => `${key} ${content}`).toSorted();
}

function changed(before: Map<string, Row>, after: Map<string, Row>): boolean {
  return JSON.stringify(live(before)) !== JSON.stringify(live(after));
}

/** Damages a derived bar, or a minute of the basket, without triggers. Returns its key. */
async function harm(db: Database, { kind, place, field, isMinute }: Damage): Promise<string | undefined> {
  const minute = isMinute &&
    await readValue<boolean>(db, "select exists (select from public.data_bars where canonical_symbol = $1)", [BASKET]);
  const table = minute ? "public.data_bars" : "public.derived_data_bars";
  const fields = minute ? MINUTE_FIELDS : FIELDS;
  return await damageRow(
    db,
    table,
    minute ? `d.canonical_symbol = '${BASKET}'` : "d.covered_minutes > 0",
    kind,
    place,
    fields[field % fields.length]!,
  );
}

/** Damages a minute that is not the newest of its asset, nor one of a basket. */
async function harmSource(db: Database, { kind, place, field }: Damage): Promise<boolean> {
  const fields = ["high = high + 1, close = high + 1", "vol = 3", "trade_count = 7", "is_partial = not is_partial"];
  const older = `d.canonical_symbol <> '${BASKET}' and exists (
    select from public.data_bars as n where n.canonical_symbol = d.canonical_symbol and n.ts_utc > d.ts_utc
  )`;
  return await damageRow(db, "public.data_bars", older, kind, place, fields[field % fields.length]!) !== undefined;
}

async function damageRow(
  db: Database,
  table: string,
  condition: string,
  kind: Damage["kind"],
  place: number,
  assignment: string,
): Promise<string | undefined> {
  const next = "d.ts_utc + (select t.duration from agg.timeframe as t where t.timeframe = d.timeframe)";
  const later = (operator: string) =>
    `exists (
      select from ${table} as n
      where n.canonical_symbol = d.canonical_symbol and n.timeframe = d.timeframe and n.ts_utc ${operator} ${next}
    )`;
  // Where there is no row, between two of the series.
  const wanted = kind === "insert" ? `${condition} and not ${later("=")} and ${later(">")}` : condition;
  const chosen = `(
    select d.ctid from ${table} as d where ${wanted}
    order by d.canonical_symbol, d.timeframe, d.ts_utc
    offset (select floor($1::float8 * count(*))::integer from ${table} as d where ${wanted}) limit 1
  )`;
  const key = "format('%s %s %s', d.canonical_symbol, d.timeframe, d.ts_utc) as key";
  const sql = {
    change: `update ${table} as d set ${assignment} where d.ctid = ${chosen} returning ${key}`,
    delete: `delete from ${table} as d where d.ctid = ${chosen} returning ${key}`,
    insert: `insert into ${table} as d
      select (jsonb_populate_record(null::${table}, to_jsonb(c) || jsonb_build_object('ts_utc', c.ts_utc + t.duration))).*
      from ${table} as c
      join agg.timeframe as t on t.timeframe = c.timeframe
      where c.ctid = ${chosen}
      on conflict do nothing
      returning ${key}`,
  }[kind];
  await db.exec("set session_replication_role = replica");
  try {
    const [row] = await db.query<{ key: string }>(sql, [place]);
    return row?.key;
  } finally {
    // Minutes leave a note even so, as those that arrive by replication do.
    await db.exec("set session_replication_role = origin; delete from agg.change_note");
  }
}
