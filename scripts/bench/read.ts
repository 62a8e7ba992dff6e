import type { Database } from "../lib/database.ts";
import { minute, settle, START } from "./market.ts";
import { type Measurement, median, medianRatio, time } from "./measure.ts";

const SYMBOLS = 1000;
const DAYS = 20;
const ROUNDS = 200;
const MANY_ROUNDS = 50;

/** What get_bars reads of longer bars. */
const COLUMNS = `
  d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
  d.quality_score, d.covered_minutes, d.expected_minutes, d.is_partial, false as is_filled, false as is_forming, d.updated_at`;

const BARE = `
  select ${COLUMNS}
  from public.derived_data_bars as d
  where d.canonical_symbol = $1 and d.timeframe = '5m' and d.ts_utc >= $2 and d.ts_utc < $3 and d.deleted_at is null
  order by d.ts_utc`;

/** The last bar of each symbol, in as many looks into the key as there are symbols. */
const BARE_LAST = `
  select b.*
  from unnest($1::text[]) as y (symbol)
  cross join lateral (
    select ${COLUMNS}
    from public.derived_data_bars as d
    where d.canonical_symbol = y.symbol and d.timeframe = '5m' and d.deleted_at is null
    order by d.ts_utc desc
    limit 1
  ) as b
  order by b.canonical_symbol`;

/** get_bars over a table of 1,000 symbols with 20 days of 5m bars each, one bar in a hundred of which was corrected once. */
export async function measureRead(db: Database, scale: number): Promise<Measurement[]> {
  const days = Math.max(2, Math.ceil(DAYS / scale));
  const symbols = Array.from({ length: SYMBOLS }, (_, index) => `S${String(index + 1).padStart(5, "0")}`);
  await load(db, days);
  const day = (round: number) => [minute((round % days) * 1440), minute((round % days + 1) * 1440)] as const;
  const symbolOf = (round: number) => symbols[(round * 37) % SYMBOLS]!;
  const get = (round: number, options = "") => () =>
    db.query(`select * from public.get_bars($1, '5m', $2, $3${options})`, [[symbolOf(round)], ...day(round)]);
  const asOf = ", p_as_of => now() - interval '1 day'";
  const works: Record<string, (round: number) => () => Promise<unknown>> = {
    bare: (round) => () => db.query(BARE, [symbolOf(round), ...day(round)]),
    get,
    fill: (round) => get(round, ", p_fill => true"),
    asOf: (round) => get(round, asOf),
  };
  const times = await measure(works, ROUNDS);
  const lastOf = (timeframe: string) => `select * from public.get_bars($1, '${timeframe}', p_limit => 1)`;
  const last = await measure({
    bare: () => () => db.query(BARE_LAST, [symbols]),
    "5m": () => () => db.query(lastOf("5m"), [symbols]),
    "1m": () => () => db.query(lastOf("1m"), [symbols]),
  }, MANY_ROUNDS);
  const onServer = {
    bare: await executionTime(db, BARE_LAST, [symbols]),
    "5m": await executionTime(db, lastOf("5m"), [symbols]),
    "1m": await executionTime(db, lastOf("1m"), [symbols]),
  };
  const table = `${SYMBOLS} symbols x ${days} days`;
  const against = { name: "bare `select`", milliseconds: median(times["bare"]!) };
  return [
    {
      work: `one day of one symbol in 5m, of ${table}`,
      pgbars: median(times["get"]!),
      against,
      budget: { text: "at most 1.2x its time", met: medianRatio(times["get"]!, times["bare"]!) <= 1.2 },
    },
    {
      work: "the same as of a day ago",
      pgbars: median(times["asOf"]!),
      against,
      budget: { text: "none", met: true },
    },
    {
      work: "the same with windows without a bar",
      pgbars: median(times["fill"]!),
      against,
      budget: { text: "none", met: true },
    },
    ...(["5m", "1m"] as const).flatMap((timeframe) => [
      {
        work: `the last ${timeframe} bar of ${SYMBOLS} symbols, on the server`,
        pgbars: onServer[timeframe],
        against: { name: "bare `select` in 5m", milliseconds: onServer.bare },
        budget: { text: "under 20 ms", met: onServer[timeframe] < 20 },
      },
      {
        work: "the same, and their rows in the client",
        pgbars: median(last[timeframe]!),
        against: { name: "bare `select` in 5m", milliseconds: median(last["bare"]!) },
        budget: { text: "none", met: true },
      },
    ]),
  ];
}

/** Milliseconds of each work, round by round in turns, after ten rounds that do not count. */
async function measure(
  works: Record<string, (round: number) => () => Promise<unknown>>,
  rounds: number,
): Promise<Record<string, number[]>> {
  const times: Record<string, number[]> = {};
  for (let round = -10; round < rounds; round++) {
    for (const [name, work] of Object.entries(works)) {
      const taken = await time(work(round + 10));
      if (round >= 0) (times[name] ??= []).push(taken);
    }
  }
  return times;
}

/** Milliseconds that the server takes for a statement, median: neither the rows on their way nor what the client makes of them. */
async function executionTime(db: Database, sql: string, params: unknown[]): Promise<number> {
  const times: number[] = [];
  for (let round = -10; round < MANY_ROUNDS; round++) {
    const [row] = await db.query<{ "QUERY PLAN": [{ "Execution Time": number }] }>(
      `explain (analyze, timing off, format json) ${sql}`,
      params,
    );
    if (round >= 0) times.push(row!["QUERY PLAN"][0]["Execution Time"]);
  }
  return median(times);
}

/** Bars as ingest and the builder store them: time by time, not symbol by symbol. */
async function load(db: Database, days: number): Promise<void> {
  const symbols =
    `generate_series(1, ${SYMBOLS}) as s cross join lateral (select 'S' || lpad(s::text, 5, '0')) as n (symbol)`;
  await db.exec(`
    update public.core_asset_registry_all set active = false;
    insert into public.core_asset_registry_all (canonical_symbol, active) select n.symbol, true from ${symbols};
    insert into public.derived_data_bars (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, source_timeframe, source_candles,
      expected_candles, covered_minutes, expected_minutes, quality_score, updated_at
    )
    select n.symbol, '5m', '${START.toISOString()}'::timestamptz + w * interval '5 minutes', 100.25, 101.5, 99.75, 100.5, 1234.5, 100.375,
      17, '1m', 5, 5, 5, 5, 2, now() - interval '10 days'
    from generate_series(0, ${days} * 288 - 1) as w cross join ${symbols};
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
    select n.symbol, '${START.toISOString()}'::timestamptz + m * interval '1 minute', 100.25, 101.5, 99.75, 100.5, 1234.5, 100.375, 17
    from generate_series(0, 1439) as m cross join ${symbols};
    update public.derived_data_bars as d set close = 101 where extract(epoch from d.ts_utc)::bigint / 300 % 100 = 0;
  `);
  await settle(db);
}
