import type { Database } from "../lib/database.ts";
import { loadMarket, minute, settle } from "./market.ts";
import { type Measurement, median, medianRatio, time } from "./measure.ts";

const SYMBOLS = 100;
const DAYS = 30;
const FEW_DAYS = 3;
const MANY_SYMBOLS = 10_000;
const ROUNDS = 15;
const DELAY_MINUTES = 5;

/** A database in which every window is decided, to bring late rows into. */
interface Market {
  db: Database;
  symbols: number;
  minutes: number;
}

/**
 * Late rows in decided history: a hundred at once, with little and with ten times as much history, and a single one,
 * among few symbols and among many. `open` gives a migrated database.
 */
export async function measureCorrections(open: (name: string) => Promise<Database>): Promise<Measurement[]> {
  const little = await loadDecided(await open("little_history"), SYMBOLS, FEW_DAYS * 1440);
  const month = await loadDecided(await open("month"), SYMBOLS, DAYS * 1440);
  const many = await loadDecided(await open("many_symbols"), MANY_SYMBOLS, 120);
  const hundredLittle: number[] = [];
  const hundredMonth: number[] = [];
  const oneFew = { late: [] as number[], direct: [] as number[] };
  const oneMany = { late: [] as number[], direct: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    hundredLittle.push(await measureHundred(little, round));
    hundredMonth.push(await measureHundred(month, round));
  }
  for (let round = 0; round < 2 * ROUNDS; round++) {
    await measureOne(month, round, oneFew);
    await measureOne(many, round, oneMany);
  }
  await Promise.all([little, month, many].map(({ db }) => db.close()));

  const hundred = `${SYMBOLS} late rows, one a symbol, over ${DAYS} days`;
  const one = (symbols: number) => `one late row among ${symbols} symbols`;
  return [
    { work: hundred, pgbars: median(hundredMonth), budget: { text: "at most 30 ms", met: median(hundredMonth) <= 30 } },
    {
      work: hundred,
      pgbars: median(hundredMonth),
      against: { name: `over ${FEW_DAYS} days`, milliseconds: median(hundredLittle) },
      budget: { text: "at most 1.5x its time", met: medianRatio(hundredMonth, hundredLittle) <= 1.5 },
    },
    {
      work: one(SYMBOLS),
      pgbars: median(oneFew.late),
      against: { name: "building its two windows directly", milliseconds: median(oneFew.direct) },
      budget: { text: "at most 2x its time", met: medianRatio(oneFew.late, oneFew.direct) <= 2 },
    },
    {
      work: one(MANY_SYMBOLS),
      pgbars: median(oneMany.late),
      against: { name: "building its two windows directly", milliseconds: median(oneMany.direct) },
      budget: { text: "at most 2x its time", met: medianRatio(oneMany.late, oneMany.direct) <= 2 },
    },
    {
      work: one(MANY_SYMBOLS),
      pgbars: median(oneMany.late),
      against: { name: one(SYMBOLS), milliseconds: median(oneFew.late) },
      budget: { text: "at most 1.5x its time", met: medianRatio(oneMany.late, oneFew.late) <= 1.5 },
    },
  ];
}

async function loadDecided(db: Database, symbols: number, minutes: number): Promise<Market> {
  await loadMarket(db, { symbols, minutes, arrival: "history" });
  await settle(db);
  const market = { db, symbols, minutes };
  await dispatch(market);
  await settle(db);
  return market;
}

/** Milliseconds of a run that corrects a hundred bars and their hours. */
async function measureHundred(market: Market, round: number): Promise<number> {
  await writeLate(market, SYMBOLS, round);
  return await time(() => expectCorrected(market, 2 * SYMBOLS));
}

/** Adds the milliseconds of a run that corrects one bar and its hour, and of building such two directly. */
async function measureOne(
  market: Market,
  round: number,
  { late, direct }: { late: number[]; direct: number[] },
): Promise<void> {
  await writeLate(market, 1, 100 + 2 * round);
  late.push(await time(() => expectCorrected(market, 2)));
  const at = await writeLate(market, 1, 101 + 2 * round);
  direct.push(await time(() => buildDirectly(market, at)));
  await dispatch(market);
}

/** Writes one bar each for the first `rows` symbols, in another minute for each, high above what was there. Returns the first minute. */
async function writeLate({ db, minutes }: Market, rows: number, round: number): Promise<Date> {
  const [first] = await db.query<{ ts: Date }>(
    `with late as (
       insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
       select
         'S' || lpad(s::text, 5, '0'), $1::timestamptz + mod(s * 433 + $3 * 61, $2 - 60) * interval '1 minute',
         100, 1000 + $3, 90, 100, 1, 100, 1
       from generate_series(1, $4::integer) as s
       on conflict (canonical_symbol, timeframe, ts_utc) do update set high = excluded.high
       returning canonical_symbol, ts_utc
     )
     select l.ts_utc as ts from late as l order by l.canonical_symbol limit 1`,
    [minute(0), minutes, round, rows],
  );
  return first!.ts;
}

async function buildDirectly({ db }: Market, at: Date): Promise<void> {
  await db.query(
    `select
       public.aggregate_1m_to_5m_window('S00001', w.five, w.five + interval '5 minutes', p_now => $2),
       public.aggregate_5m_to_1h_window('S00001', w.hour, w.hour + interval '1 hour', p_now => $2)
     from (select date_bin('5 minutes', $1, 'epoch'::timestamptz) as five, date_bin('1 hour', $1, 'epoch'::timestamptz) as hour) as w`,
    [at, minute(1_000_000)],
  );
}

async function dispatch({ db, minutes }: Market): Promise<number> {
  const [row] = await db.query<{ corrected: number }>(
    "select (public.agg_run_due(p_now => $1) ->> 'bars_corrected')::integer as corrected",
    [minute(minutes + DELAY_MINUTES)],
  );
  return row!.corrected;
}

async function expectCorrected(market: Market, bars: number): Promise<void> {
  const corrected = await dispatch(market);
  if (corrected !== bars) throw new Error(`${corrected} bars were corrected instead of ${bars}`);
}
