import type { Database } from "../lib/database.ts";
import { minute, settle } from "./market.ts";
import { type Measurement, median, time } from "./measure.ts";

const ROUNDS = 15;
const BULK_ROWS = 1_000_000;
/** Statements a round, by rows a statement. */
const STATEMENTS: Record<number, number> = { 100: 300, 1: 2000 };

/** What a client of the Data API sends: an upsert of rows as JSON. */
const UPSERT = `
  insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
  select r.canonical_symbol, r.ts_utc, r.open, r.high, r.low, r.close, r.vol, r.vwap, r.trade_count
  from json_to_recordset($1::text::json) as r (
    canonical_symbol text, ts_utc timestamptz, open float8, high float8, low float8, close float8,
    vol float8, vwap float8, trade_count bigint
  )
  on conflict (canonical_symbol, timeframe, ts_utc) do update set
    open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
    vol = excluded.vol, vwap = excluded.vwap, trade_count = excluded.trade_count`;

/** The triggers of ordinary writers. All others fire in the replica role only, and must not become ordinary ones. */
const TRIGGERS = ["note_insert", "note_update", "note_move", "note_delete", "set_updated_at"];

/** Live ingest with change notes against the same without, in turns, before and after a bulk load in the same session. */
export async function measureIngest(db: Database): Promise<Measurement[]> {
  const clock = { minute: 0 };
  const before = { hundred: await compare(db, 100, clock), one: await compare(db, 1, clock) };
  await bulkLoad(db);
  const after = { hundred: await compare(db, 100, clock), one: await compare(db, 1, clock) };
  return [
    measurement("ingest, 100 rows a statement", before.hundred, 1.1),
    measurement(`ingest, 100 rows a statement, after a load of ${BULK_ROWS} rows`, after.hundred, 1.1),
    measurement("ingest, 1 row a statement", before.one),
    measurement(`ingest, 1 row a statement, after a load of ${BULK_ROWS} rows`, after.one),
  ];
}

interface Comparison {
  /** Milliseconds a statement. */
  noted: number;
  unnoted: number;
  ratio: number;
}

function measurement(work: string, { noted, unnoted, ratio }: Comparison, budget?: number): Measurement {
  return {
    work,
    pgbars: noted,
    against: { name: "without change notes", milliseconds: unnoted },
    budget: budget === undefined
      ? { text: "none", met: true }
      : { text: `at most ${budget}x its time`, met: ratio <= budget },
  };
}

async function compare(db: Database, rows: number, clock: { minute: number }): Promise<Comparison> {
  const statements = STATEMENTS[rows]!;
  const round = async (triggers: "enable" | "disable") => {
    await db.exec(`alter table public.data_bars ${TRIGGERS.map((name) => `${triggers} trigger ${name}`).join(", ")}`);
    const payloads = Array.from({ length: statements + 1 }, () => payload(rows, clock.minute++));
    await db.query(UPSERT, [payloads.pop()!]);
    return await time(async () => {
      for (const rows of payloads) await db.query(UPSERT, [rows]);
    }) / statements;
  };
  const noted: number[] = [];
  const unnoted: number[] = [];
  for (let index = 0; index < ROUNDS; index++) {
    await db.exec("truncate public.data_bars, agg.change_note");
    await settle(db);
    noted.push(await round("enable"));
    const [notes] = await db.query<{ count: number }>("select count(*) as count from agg.change_note");
    unnoted.push(await round("disable"));
    if (notes!.count < statements) throw new Error(`${statements} statements left ${notes!.count} notes`);
  }
  await db.exec(`alter table public.data_bars ${TRIGGERS.map((name) => `enable trigger ${name}`).join(", ")}`);
  return {
    noted: median(noted),
    unnoted: median(unnoted),
    ratio: median(noted.map((milliseconds, index) => milliseconds / unnoted[index]!)),
  };
}

function payload(rows: number, at: number): string {
  return JSON.stringify(Array.from({ length: rows }, (_, index) => ({
    canonical_symbol: `S${index}`,
    ts_utc: minute(at).toISOString(),
    open: 100.25,
    high: 101.5,
    low: 99.75,
    close: 100.5,
    vol: 1234.5,
    vwap: 100.375,
    trade_count: 17,
  })));
}

async function bulkLoad(db: Database): Promise<void> {
  await db.query(
    `insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
     select 'BULK' || s, $1::timestamptz + m * interval '1 minute', 1, 1, 1, 1, 1, 1, 1
     from generate_series(1, 10) as s cross join generate_series(1, $2::integer / 10) as m`,
    [minute(0), BULK_ROWS],
  );
}
