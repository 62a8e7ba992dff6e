import type { Database } from "../lib/database.ts";
import { loadMarket, minute, settle } from "./market.ts";
import { type Measurement, median, time } from "./measure.ts";

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
  const hundredLittle = await measureHundred(little);
  await little.db.close();
  const month = await loadDecided(await open("month"), SYMBOLS, DAYS * 1440);
  const hundredMonth = await measureHundred(month);
  const oneFew = await measureOne(month);
  await month.db.close();
  const many = await loadDecided(await open("many_symbols"), MANY_SYMBOLS, 120);
  const oneMany = await measureOne(many);
  await many.db.close();

  const hundred = `${SYMBOLS} late rows, one a symbol, over ${DAYS} days`;
  const one = (symbols: number) => `one late row among ${symbols} symbols`;
  return [
    { work: hundred, pgbars: hundredMonth, budget: { text: "at most 30 ms", met: hundredMonth <= 30 } },
    {
      work: hundred,
      pgbars: hundredMonth,
      against: { name: `over ${FEW_DAYS} days`, milliseconds: hundredLittle },
      budget: { text: "at most 1.5x its time", met: hundredMonth <= 1.5 * hundredLittle },
    },
    {
      work: one(SYMBOLS),
      pgbars: oneFew.late,
      against: { name: "building its two windows directly", milliseconds: oneFew.direct },
      budget: { text: "at most 2x its time", met: oneFew.late <= 2 * oneFew.direct },
    },
    {
      work: one(MANY_SYMBOLS),
      pgbars: oneMany.late,
      against: { name: "building its two windows directly", milliseconds: oneMany.direct },
      budget: { text: "at most 2x its time", met: oneMany.late <= 2 * oneMany.direct },
    },
    {
      work: one(MANY_SYMBOLS),
      pgbars: oneMany.late,
      against: { name: one(SYMBOLS), milliseconds: oneFew.late },
      budget: { text: "at most 1.5x its time", met: oneMany.late <= 1.5 * oneFew.late },
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

async function measureHundred(market: Market): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await writeLate(market, SYMBOLS, round);
    times.push(await time(() => expectCorrected(market, 2 * SYMBOLS)));
  }
  return median(times);
}

async function measureOne(market: Market): Promise<{ late: number; direct: number }> {
  const late: number[] = [];
  const direct: number[] = [];
  for (let round = 0; round < 2 * ROUNDS; round++) {
    await writeLate(market, 1, 100 + 2 * round);
    late.push(await time(() => expectCorrected(market, 2)));
    const at = await writeLate(market, 1, 101 + 2 * round);
    direct.push(await time(() => buildDirectly(market, at)));
    await dispatch(market);
  }
  return { late: median(late), direct: median(direct) };
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
