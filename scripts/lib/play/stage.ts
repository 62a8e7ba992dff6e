import { BASKET, MARKETS, metadataOf, SYMBOLS, type World } from "../../../model/world.ts";
import type { Database } from "../database.ts";
import { addCalendar } from "./calendar.ts";

/** Makes random bars in one statement, of symbols in test_thin a fifth. The same seed makes the same bars. */
const BARS = `
create table public.test_thin (symbol text primary key);
create function public.test_bars(p_symbols text[], p_from timestamptz, p_minutes integer, p_density integer, p_seed bigint)
returns table (
  canonical_symbol text, timeframe text, ts_utc timestamptz,
  open float8, high float8, low float8, close float8, vol float8, vwap float8, trade_count bigint, is_partial boolean, source text
)
language sql
as $$
  select
    s.symbol, '1m', t.ts, v.open, greatest(v.open, v.close) + r.c, least(v.open, v.close) - r.d, v.close,
    case (r.h >> 40) & 7 when 0 then null when 1 then 0 else r.c * 1e6 end,
    case (r.h >> 43) & 3 when 0 then null else v.open + r.d end,
    case (r.h >> 45) & 7 when 0 then null else (r.h >> 48) & 1023 end,
    (r.h >> 12) & 31 = 0, 'ingest'
  from unnest(p_symbols) as s (symbol)
  cross join generate_series(0, p_minutes - 1) as i (minute)
  cross join lateral (select p_from + i.minute * interval '1 minute') as t (ts)
  cross join lateral (
    select hashtextextended(s.symbol || extract(epoch from t.ts), p_seed) as h, hashint8(extract(epoch from t.ts)::bigint # p_seed) as k
  ) as n
  cross join lateral (
    select
      n.h,
      ((n.h & 1048575) + 1) / 1048573.0::float8 as a,
      (((n.h >> 20) & 1048575) + 1) / 1048573.0::float8 as b,
      (n.k & 65535) / 65521.0::float8 as c,
      ((n.k >> 16) & 32767) / 32749.0::float8 as d
  ) as r
  cross join lateral (select r.a as open, case when (n.h >> 58) & 31 = 0 then -r.b else r.b end as close) as v
  left join public.test_thin as f on f.symbol = s.symbol
  where abs(n.k % 100) < case when f.symbol is null then p_density else p_density / 5 end
  order by n.k
$$`;

/** Prepares a migrated database for histories. Sessions opened later wait `lockTimeout` for a lock, such as `50ms`. */
export async function prepareStage(db: Database, lockTimeout: string): Promise<void> {
  await db.exec(BARS);
  for (const { calendar } of Object.values(MARKETS)) if (calendar) await addCalendar(db, calendar);
  await db.exec(`
    do $$ begin
      execute format('alter database %I set lock_timeout = %L', current_database(), '${lockTimeout}');
      execute format('alter database %I set deadlock_timeout = %L', current_database(), '20ms');
      -- To plan statements as small as these takes longer than to run them.
      execute format('alter database %I set plan_cache_mode = force_generic_plan', current_database());
    end $$;
    set plan_cache_mode = force_generic_plan`);
}

/** Makes the world's assets and their tasks in emptied tables. */
export async function resetWorld(db: Database, world: World): Promise<void> {
  await clearTables(db);
  await addWorld(db, world);
}

/** Empties every table, which takes a quarter of the time of truncating them. */
export async function clearTables(db: Database): Promise<void> {
  await db.exec(`
    set session_replication_role = replica;
    delete from public.data_bars;
    delete from public.derived_data_bars;
    delete from public.derived_data_bars_revision;
    delete from public.data_agg_state;
    delete from agg.change_note;
    delete from agg.correction;
    delete from agg.floor;
    delete from agg.run_log;
    delete from agg.alert;
    delete from public.core_asset_registry_all;
    delete from public.test_thin;
    set session_replication_role = origin;
  `);
}

/** Makes the assets of a world, with `suffix` at the end of their names, and their tasks. */
export async function addWorld(db: Database, world: World, suffix = ""): Promise<void> {
  const { components, version } = world.basket;
  const assets = [
    ...SYMBOLS.map((symbol) => ({
      symbol: symbol + suffix,
      active: symbol !== "C" || !world.bareComponent,
      metadata: { agg: metadataOf(symbol, world) },
    })),
    {
      symbol: BASKET + suffix,
      active: true,
      metadata: {
        agg: metadataOf(BASKET, world),
        is_synthetic: true,
        components: components.map((component) => component + suffix),
        component_weights: Object.fromEntries(
          components.map((component, index) => [component + suffix, [0.6, -0.3, 0.2][index]]),
        ),
        formula_base: 50.5,
        derivation_version: version,
      },
    },
  ];
  if (world.thin) await db.query("insert into public.test_thin (symbol) values ($1)", [world.thin + suffix]);
  await db.query(
    `insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
     select a.symbol, a.active, a.metadata from jsonb_to_recordset($1::jsonb) as a (symbol text, active boolean, metadata jsonb)`,
    [JSON.stringify(assets)],
  );
}
