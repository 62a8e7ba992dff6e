import assert from "node:assert/strict";
import { type Bar, type BarQuery, TIMEFRAMES } from "../../client/mod.ts";
import { ENGINES, type Stack } from "../support/stack.ts";
import { connect, type ConnectionOptions } from "./connection.ts";
import { assertSameBars, readStored, storeDerived, storeMinutes } from "./stored.ts";

const START = "2025-07-01T00:00:00.000Z";
const ODD_SYMBOLS = [
  "BRK.B",
  "EUR/USD",
  "A,B",
  'Q"T',
  "a\\b",
  "(x)",
  " sp ",
  "x.eq.y",
  "é€",
  "%_*",
  "null",
  "A:B",
  "{}",
];

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`fetchBars() reads minutes (${engine})`, async (test) => {
    await using stack = await openStack();
    const { db } = stack;
    const at = (options?: ConnectionOptions) => connect(stack.url, stack.keys.secret, options);
    await storeMinutes(db, "LONG", START, 2345);
    await storeMinutes(db, "EVEN", START, 2000);
    await storeMinutes(db, "SHORT", START, 3);
    for (const symbol of ODD_SYMBOLS) await storeMinutes(db, symbol, START, 4);
    const twoDays = { from: START, to: minute(2880) };

    await test.step("past 1,000 rows, symbols in the order asked for and once each", async () => {
      const symbols = ["SHORT", "LONG", "UNKNOWN", "EVEN", "SHORT"];
      const bars = await at().fetchBars({ symbols, timeframe: "1m", ...twoDays });
      assertSameBars(
        bars,
        await stored(stack, { symbols: ["SHORT", "LONG", "EVEN"], timeframe: "1m", ...twoDays }),
      );
      assert.equal(bars.length, 4348);
    });

    await test.step("in [from, to), whatever the zone it is given in", async () => {
      const bars = await at().fetch1mBars({
        symbols: ["LONG"],
        from: "2025-07-01T02:10:00+02:00",
        to: new Date(minute(13)),
      });
      assert.deepEqual(bars.map((bar) => bar.ts_utc.toISOString()), [minute(10), minute(11), minute(12)]);
    });

    await test.step("with unknown volumes as null and no quality", async () => {
      const [bar] = await at().fetch1mBars({ symbols: ["LONG"], from: minute(7), to: minute(8) });
      assert.deepEqual(bar, {
        canonical_symbol: "LONG",
        timeframe: "1m",
        ts_utc: new Date(minute(7)),
        open: 8,
        high: 9,
        low: 0.5,
        close: 8.1,
        vol: 7,
        vwap: null,
        trade_count: 7,
        source: "ingest",
        quality_score: null,
        is_partial: false,
      });
    });

    await test.step("of symbols with whatever is in their names, page by page", async () => {
      const query = { symbols: ODD_SYMBOLS, timeframe: "1m", from: START, to: minute(10) };
      const expected = await stored(stack, query);
      assert.equal(expected.length, 4 * ODD_SYMBOLS.length);
      for (const maxRows of [1, 3, 4, 1000]) assertSameBars(await at({ maxRows }).fetchBars(query), expected);
    });

    await test.step("from a project that gives fewer rows than asked for, also where a page ends with a symbol", async () => {
      const query = { symbols: ["SHORT", "EVEN", "LONG"], timeframe: "1m", from: START, to: minute(200) };
      const expected = await stored(stack, query);
      assert.equal(expected.length, 403);
      for (const maxRows of [7, 100, 200, 203]) assertSameBars(await at({ maxRows }).fetchBars(query), expected);
    });

    await test.step("that the source called unfinished", async () => {
      await storeMinutes(db, "PARTIAL", START, 2);
      await db.query(
        "update public.data_bars set is_partial = true where canonical_symbol = 'PARTIAL' and ts_utc = $1",
        [
          START,
        ],
      );
      const bars = await at().fetch1mBars({ symbols: ["PARTIAL"], from: START, to: minute(2) });
      assert.deepEqual(bars.map((bar) => bar.is_partial), [true, false]);
    });

    await test.step("after instants as the Data API writes them", async () => {
      const window = { from: "2025-07-01T00:00:00.000001+00:00", to: "2025-07-01 00:02:00.000001+00" };
      const bars = await at().fetch1mBars({ symbols: ["LONG"], ...window });
      assert.deepEqual(bars.map((bar) => bar.ts_utc.toISOString()), [minute(1), minute(2)]);
    });

    await test.step("of symbols that Postgres cannot hold none, without asking for them", async () => {
      const connection = at();
      const bars = await connection.fetch1mBars({ symbols: ["a\0b", "SHORT", "\ud800"], ...twoDays });
      assert.equal(bars.length, 3);
      for (const url of connection.urls) {
        assert.match(url.searchParams.get("canonical_symbol")!, /^in\.\("SHORT"\)$/);
      }
    });

    await test.step("of many symbols, some groups of them beside others", async () => {
      const requests = async (symbols: string[], minutes: number) => {
        const connection = at();
        const bars = await connection.fetch1mBars({ symbols, from: START, to: minute(minutes) });
        return [bars.length, connection.urls.length];
      };
      const names = (name: string, count: number) => Array.from({ length: count }, (_, number) => `${name}${number}`);
      for (const symbol of names("HOUR", 50)) await storeMinutes(db, symbol, START, 60);
      assert.deepEqual(await requests(names("UNKNOWN", 120), 1440), [0, 20]);
      assert.deepEqual(await requests(["SHORT"], 1), [1, 2]);
      assert.deepEqual(await requests(names("HOUR", 50), 60), [3000, 8]);
    });

    await test.step("and rejects with the first failure, after which nothing is asked for", async () => {
      const symbols = Array.from({ length: 120 }, (_, number) => `UNKNOWN${number}`);
      const failing = at({ onRequest: (number) => number === 5 ? new Response("gone", { status: 400 }) : undefined });
      await assert.rejects(failing.fetch1mBars({ symbols, from: START, to: minute(1440) }), { status: 400 });
      const asked = failing.urls.length;
      assert.ok(asked < 20, String(asked));
    });

    await test.step("of many symbols with URLs below 6 KiB", async () => {
      const many = Array.from({ length: 900 }, (_, number) => `(é) ${number}`);
      const connection = at();
      const bars = await connection.fetchBars({
        symbols: [...many, "SHORT"],
        timeframe: "1m",
        from: START,
        to: minute(1),
      });
      assert.equal(bars.length, 1);
      const lengths = connection.urls.map((url) => url.href.length);
      assert.ok(Math.max(...lengths) < 6 * 1024, String(lengths));
    });

    await test.step("of no symbols without a request", async () => {
      const connection = at();
      assert.deepEqual(await connection.fetchBars({ symbols: [], timeframe: "1m", ...twoDays }), []);
      assert.deepEqual(connection.urls, []);
    });

    await test.step("while others are written and deleted between two pages", async () => {
      const query = { symbols: ["N", "L", "M"], timeframe: "1m", from: START, to: minute(100) };
      for (const symbol of ["L", "M", "N"]) await storeMinutes(db, symbol, minute(20), 4);
      const before = await stored(stack, query);
      const meddle = async (number: number) => {
        if (number !== 2) return;
        // The first page was all of L and the first of M: the start of L is passed, and an offset would be off by now.
        await storeMinutes(db, "L", minute(10), 3);
        await db.query("delete from public.data_bars where canonical_symbol = 'L' and ts_utc = $1", [minute(20)]);
        await storeMinutes(db, "M", minute(10), 3);
        await storeMinutes(db, "N", minute(10), 3);
        await storeMinutes(db, "N", minute(30), 3);
      };
      const bars = await at({ maxRows: 5, onRequest: meddle }).fetchBars(query);
      const late = (await stored(stack, query)).filter(({ canonical_symbol, ts_utc }) =>
        canonical_symbol === "N" && !before.some((bar) => bar.canonical_symbol === "N" && +bar.ts_utc === +ts_utc)
      );
      assert.equal(late.length, 6);
      assert.deepEqual(sorted(bars), sorted([...before, ...late]));
    });

    await test.step("while a symbol that sorts before the one in progress gets its first bars", async () => {
      const query = { symbols: ["P", "O"], timeframe: "1m", from: START, to: minute(100) };
      await storeMinutes(db, "P", START, 6);
      const meddle = async (number: number) => {
        if (number === 1) await storeMinutes(db, "O", START, 6);
      };
      const bars = await at({ maxRows: 2, onRequest: meddle }).fetchBars(query);
      assertSameBars(bars, await stored(stack, query));
      assert.equal(bars.length, 12);
    });

    await test.step("and refuses arguments that do not make sense, without a request", async () => {
      const connection = at();
      const refuse = async (change: Record<string, unknown>, error: { name: string; message: RegExp }) => {
        await assert.rejects(
          connection.fetchBars({ symbols: ["LONG"], timeframe: "1m", ...twoDays, ...change }),
          error,
        );
      };
      await refuse({ symbols: new Set(["LONG"]) }, { name: "TypeError", message: /strings, not a Set$/ });
      await refuse({ symbols: [1n] }, {
        name: "TypeError",
        message: /^fetchBars: symbols must be .*, and 1 is not one$/,
      });
      for (const query of [undefined, null, "LONG"]) {
        await assert.rejects(connection.fetchBars(query as unknown as BarQuery), {
          name: "TypeError",
          message: /^fetchBars: the query must be an object, not /,
        });
      }
      await refuse({ to: new Date(8.64e15) }, { name: "RangeError", message: /^fetchBars: to .* years 1 to 9999/ });
      await refuse({ symbols: "LONG" }, { name: "TypeError", message: /^fetchBars: symbols must be an array/ });
      await refuse({ symbols: [1] }, { name: "TypeError", message: /^fetchBars: symbols must be an array/ });
      for (const timeframe of ["5min", "M5", "1H", "0m", "5", "", undefined, null]) {
        await refuse({ timeframe }, { name: "TypeError", message: /^fetchBars: timeframe must be/ });
      }
      await refuse({ from: "2025-07-01T00:00:00" }, {
        name: "TypeError",
        message: /^fetchBars: from .* lacks its zone/,
      });
      await refuse({ to: new Date(NaN) }, { name: "TypeError", message: /^fetchBars: to is an invalid Date/ });
      await refuse({ to: START }, { name: "RangeError", message: /^fetchBars: from .* must be before to/ });
      await assert.rejects(connection.fetch1mBars({ symbols: ["LONG"], from: START, to: "soon" }), {
        name: "TypeError",
        message: /^fetch1mBars: to \("soon"\) must be/,
      });
      assert.deepEqual(connection.urls, []);
    });
  });

  Deno.test(`fetchBars() reads derived bars (${engine})`, async (test) => {
    await using stack = await openStack();
    const { db } = stack;
    const connection = connect(stack.url, stack.keys.secret);

    await test.step("that are not deleted", async () => {
      await storeDerived(db, "EURUSD", START, [false, true, false]);
      const query = { symbols: ["EURUSD"], timeframe: "5m", from: START, to: minute(60) };
      const bars = await connection.fetchBars(query);
      assert.deepEqual(bars.map((bar) => bar.ts_utc.toISOString()), [START, minute(10)]);
      assertSameBars(bars, await stored(stack, query));
    });

    await test.step("with their quality, in the shape that minutes have", async () => {
      await storeMinutes(db, "EURUSD", START, 1);
      const window = { symbols: ["EURUSD"], from: START, to: minute(1) };
      const [bar] = await connection.fetchBars({ ...window, timeframe: "5m" });
      const [minuteBar] = await connection.fetch1mBars(window);
      assert.deepEqual([bar!.quality_score, bar!.source, bar!.is_partial], [0, "aggregated", false]);
      assert.deepEqual(Object.keys(bar!).sort(), Object.keys(minuteBar!).sort());
    });

    await test.step("of every timeframe that the database has, which are those that the client names", async () => {
      const timeframes = await db.query<{ timeframe: string }>(
        "select t.timeframe from agg.timeframe as t order by t.duration",
      );
      assert.deepEqual(timeframes.map((row) => row.timeframe), [...TIMEFRAMES]);
      // A Monday, on which a window of every timeframe begins.
      const monday = "2025-06-30T00:00:00.000Z";
      await db.query(
        `insert into public.derived_data_bars (
           canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe, source_candles, expected_candles,
           covered_minutes, expected_minutes, quality_score, is_partial
         )
         select 'EACH', t.timeframe, $1, 1, 1, 1, 1, t.source_timeframe, 1, 1, 1, 1, 2, t.timeframe = '1w'
         from agg.timeframe as t where t.source_timeframe is not null`,
        [monday],
      );
      await storeMinutes(db, "EACH", monday, 1);
      for (const timeframe of TIMEFRAMES) {
        const query = { symbols: ["EACH"], timeframe, from: monday, to: "2025-07-07T00:00:00.000Z" };
        const bars = await connection.fetchBars(query);
        assert.deepEqual(bars.map((bar) => [bar.timeframe, bar.is_partial]), [[timeframe, timeframe === "1w"]]);
        assertSameBars(bars, await stored(stack, query));
      }
    });

    await test.step("and none of a timeframe that is not built", async () => {
      const notBuilt = { symbols: ["EURUSD"], timeframe: "7m", from: START, to: minute(60) };
      assert.deepEqual(await connection.fetchBars(notBuilt), []);
    });
  });
}

async function stored(
  { db }: Stack,
  { symbols, ...rest }: { symbols: string[]; timeframe: string; from: string; to: string },
): Promise<Bar[]> {
  const bars: Bar[] = [];
  for (const symbol of symbols) bars.push(...await readStored(db, { symbol, ...rest }));
  return bars;
}

function minute(number: number): string {
  return new Date(Date.parse(START) + number * 60_000).toISOString();
}

function sorted(bars: Bar[]): string[] {
  return bars.map((bar) => `${bar.canonical_symbol} ${bar.ts_utc.toISOString()}`).sort();
}
