import { arrayLiteral } from "../array_literal.ts";
import { describeAnswer, requestPatiently } from "../data_api.ts";
import { codeOf, type Database, openDatabase } from "../database.ts";
import { describeError } from "../error.ts";
import { Failure } from "../failure.ts";
import type { Target } from "../options.ts";
import { formatMinute } from "./bar.ts";
import type { BarList } from "./bar_list.ts";
import { COPIED_COLUMNS, encodeBars } from "./binary_copy.ts";
import { BARS_PER_CALL, type Stored, upsert } from "./upsert.ts";

/** Where bars are stored. */
export interface Store {
  /** Bars to give to {@link store} at a time. */
  size: number;
  /** Symbols that the database computes itself, as far as it is known before bars are stored. */
  computed: ReadonlySet<string>;
  /** Stores bars. Repeating it changes nothing. Throws a {@link Failure} where the database cannot be asked; then none of the bars is stored, or all. */
  store(bars: BarList): Promise<Stored>;
  /** Those of the symbols that the registry does not have. */
  findUnregistered(symbols: readonly string[]): Promise<string[]>;
  close(): Promise<void>;
}

/** Throws a {@link Failure} when the target cannot be reached, or is no database of pgbars. */
export async function openStore(target: Target): Promise<Store> {
  return "db" in target ? await openCopyStore(target.db) : openApiStore(target);
}

/** Rows in one transaction: enough that its cost does not show, few enough to wait for. */
const ROWS_PER_COPY = 50_000;

const COLUMNS = COPIED_COLUMNS.join(", ");

/** A table of the transaction: a pooler may give each its own session. `nr` tells which of two rows of one minute came later. */
const CREATE_TABLE = `
  create temporary table pgbars_import (
    nr bigint generated always as identity, canonical_symbol text, ts_utc timestamptz,
    open float8, high float8, low float8, close float8, vol float8, vwap float8, trade_count bigint, is_partial boolean
  ) on commit drop`;

/**
 * Stores what is new or differs. The join leaves out what is there the same, which on conflict would lock row by row; the
 * spans ($1 to $3) keep it to the part of the table that matters. created_at marks the rows of this statement.
 */
const STORE = `
  with span as (
    select s.symbol, s.first, s.last from unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) as s (symbol, first, last)
  ),
  given as materialized (
    select distinct on (i.canonical_symbol, i.ts_utc) i.* from pgbars_import as i
    order by i.canonical_symbol, i.ts_utc, i.nr desc
  ),
  there as materialized (
    select t.*
    from span as s
    cross join lateral (
      select b.canonical_symbol, b.ts_utc, b.open, b.high, b.low, b.close, b.vol, b.vwap, b.trade_count, b.is_partial
      from public.data_bars as b
      where b.canonical_symbol = s.symbol and b.timeframe = '1m' and b.ts_utc >= s.first and b.ts_utc <= s.last
      -- Keeps the lookup by key: without it a hash join would read the whole table.
      offset 0
    ) as t
  ),
  stored as (
    insert into public.data_bars as b (${COLUMNS}, created_at)
    select g.canonical_symbol, g.ts_utc, g.open, g.high, g.low, g.close, g.vol, g.vwap, g.trade_count, g.is_partial,
      $4::timestamptz
    from given as g
    left join there as t on t.canonical_symbol = g.canonical_symbol and t.ts_utc = g.ts_utc
    where t.ts_utc is null
      or (t.open, t.high, t.low, t.close, t.vol, t.vwap, t.trade_count, t.is_partial)
        is distinct from (g.open, g.high, g.low, g.close, g.vol, g.vwap, g.trade_count, g.is_partial)
    order by g.canonical_symbol, g.ts_utc
    on conflict (canonical_symbol, timeframe, ts_utc) do update set
      open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
      vol = excluded.vol, vwap = excluded.vwap, trade_count = excluded.trade_count, is_partial = excluded.is_partial,
      source = excluded.source, raw = excluded.raw, ingested_at = excluded.ingested_at
    returning b.created_at = $4::timestamptz as is_new
  )
  select count(*) filter (where s.is_new) as inserted, count(*) filter (where not s.is_new) as updated,
    (select count(*) from given as g) as given
  from stored as s`;

async function openCopyStore(url: string): Promise<Store> {
  const db = await openDatabase(url);
  try {
    const rows = await ask(() =>
      db.query<{ canonical_symbol: string }>(
        "select r.canonical_symbol from public.core_asset_registry_all as r where r.metadata -> 'is_synthetic' = 'true'",
      )
    );
    return {
      size: ROWS_PER_COPY,
      computed: new Set(rows.map(({ canonical_symbol }) => canonical_symbol)),
      store: (bars) => ask(() => copyOrUpsert(db, bars)),
      findUnregistered: async (symbols) =>
        (await ask(() =>
          db.query<{ symbol: string }>(
            `select s.symbol from unnest($1::text[]) as s (symbol)
             where not exists (select from public.core_asset_registry_all as r where r.canonical_symbol = s.symbol)
             order by 1`,
            [arrayLiteral(symbols)],
          )
        )).map(({ symbol }) => symbol),
      close: () => db.close(),
    };
  } catch (error) {
    await db.close();
    throw error;
  }
}

async function copyOrUpsert(db: Database, bars: BarList): Promise<Stored> {
  try {
    return await copy(db, bars);
  } catch (error) {
    // What a check, a trigger or a policy says of a bar. upsert_bars finds out which one it was.
    if (!/^(22|23|44|P0|42501)/.test(codeOf(error) ?? "")) throw error;
    return await upsert(bars.toArray(), async (rows) => {
      const [row] = await db.query<{ answer: unknown }>("select public.upsert_bars($1::text::jsonb) as answer", [rows]);
      return row!.answer;
    });
  }
}

/** Copies straight into data_bars where it has no bar of these times, and else through a temporary table. */
async function copy(db: Database, bars: BarList): Promise<Stored> {
  const spans = spansOf(bars);
  const [state] = await db.query<{ is_free: boolean; now: string }>(
    `select clock_timestamp()::text as now, not exists (
       select from unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) as s (symbol, first, last)
       cross join lateral (
         select from public.data_bars as b
         where b.canonical_symbol = s.symbol and b.timeframe = '1m' and b.ts_utc >= s.first and b.ts_utc <= s.last
         limit 1
       ) as b
     ) as is_free`,
    spans,
  );
  if (state!.is_free && await copyDirectly(db, bars)) {
    return { inserted: bars.length, updated: 0, unchanged: 0, superseded: 0, refused: [] };
  }
  await db.exec("begin");
  try {
    await db.exec(`set local enable_nestloop = off; set local work_mem = '64MB'; ${CREATE_TABLE}`);
    await db.copyIn(`copy pgbars_import (${COLUMNS}) from stdin (format binary)`, encodeBars(bars));
    const [row] = await db.query<{ inserted: number; updated: number; given: number }>(STORE, [...spans, state!.now]);
    await db.exec("commit");
    const { inserted, updated, given } = row!;
    const unchanged = given - inserted - updated;
    return { inserted, updated, unchanged, superseded: bars.length - given, refused: [] };
  } catch (error) {
    await db.exec("rollback").catch(() => {}); // The session may have ended.
    throw error;
  }
}

/**
 * Returns whether the bars were stored. They are not where a bar is refused, another session has stored one of these minutes
 * meanwhile, or two of the bars have one minute.
 */
async function copyDirectly(db: Database, bars: BarList): Promise<boolean> {
  await db.exec("begin");
  try {
    await db.copyIn(`copy public.data_bars (${COLUMNS}) from stdin (format binary)`, encodeBars(bars));
    await db.query("select 1");
    await db.exec("commit");
    return true;
  } catch (error) {
    await db.exec("rollback").catch(() => {}); // The session may have ended.
    if (codeOf(error) === IN_FAILED_TRANSACTION) return false;
    throw error;
  }
}

const IN_FAILED_TRANSACTION = "25P02";

/** Symbols with their first and last minute, as three arrays. */
function spansOf(bars: BarList): string[] {
  const spans = new Map<string, { first: number; last: number }>();
  for (let index = 0; index < bars.length; index++) {
    const [symbol, ts] = [bars.symbol(index), bars.number(index, 0)];
    const span = spans.get(symbol);
    if (span === undefined) spans.set(symbol, { first: ts, last: ts });
    else if (ts < span.first) span.first = ts;
    else if (ts > span.last) span.last = ts;
  }
  const times = [...spans.values()];
  return [
    arrayLiteral([...spans.keys()]),
    arrayLiteral(times.map(({ first }) => formatMinute(first))),
    arrayLiteral(times.map(({ last }) => formatMinute(last))),
  ];
}

/** Asks the database. What it answers with an error, or not at all, becomes a {@link Failure}. */
async function ask<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const code = codeOf(error);
    if (code === "42P01") throw new Failure("The database has no tables of pgbars: install it first.");
    throw new Failure(describeError(error), { cause: error });
  }
}

function openApiStore(api: Exclude<Target, { db: string }>): Store {
  const unregistered = new Set<string>();
  const call = async (rows: string) => {
    const answer = await requestPatiently(api, "rpc/upsert_bars", `{"p_bars": ${rows}}`);
    if (answer.status >= 300 || answer.value === undefined) {
      throw new Failure(`upsert_bars() failed with ${describeAnswer(answer)}`);
    }
    for (const symbol of (answer.value as { unregistered: string[] }).unregistered) unregistered.add(symbol);
    return answer.value;
  };
  return {
    size: BARS_PER_CALL,
    // upsert_bars refuses their bars.
    computed: new Set(),
    store: (bars) => upsert(bars.toArray(), call),
    findUnregistered: () => Promise.resolve([...unregistered].sort()),
    close: () => Promise.resolve(),
  };
}
