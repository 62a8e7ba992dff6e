import assert from "node:assert/strict";
import { type BarInput, PgbarsError } from "../../client/mod.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { ENGINES } from "../support/stack.ts";
import { connect, type ConnectionOptions } from "./connection.ts";

const START = Date.parse("2025-07-01T00:00:00Z");

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`upsertBars() stores bars (${engine})`, async (test) => {
    await using stack = await openStack();
    const { db } = stack;
    const at = (options?: ConnectionOptions) => connect(stack.url, stack.keys.secret, options);

    await test.step("in batches, and leaves out the bad ones of each", async () => {
      const rows = Array.from({ length: 2500 }, (_, number) => row("BATCH", number));
      rows[3] = { ...rows[3]!, close: NaN };
      rows[1000] = { ...rows[1000]!, low: 3 };
      rows[2499] = { ...rows[2499]!, vol: -1 };
      const connection = at();
      const result = await connection.upsertBars(rows);
      assert.deepEqual(refusals(result.refused), [
        [3, "23514", "data_bars_finite_prices"],
        [1000, "23514", "data_bars_low_covers"],
        [2499, "23514", "data_bars_vol_in_range"],
      ]);
      assert.ok(result.refused.every(({ index, row, problem }) => row === rows[index] && problem.length > 0));
      assert.deepEqual([result.inserted, result.updated, result.unchanged], [2497, 0, 0]);
      assert.equal(await count(db, "BATCH"), 2497);
      assert.equal(connection.urls.length, 3);
      const again = await connection.upsertBars(rows);
      assert.deepEqual([again.inserted, again.updated, again.unchanged, again.refused.length], [0, 0, 2497, 3]);
    });

    await test.step("and refuses numbers that JSON cannot carry by the name of a constraint", async () => {
      const { refused, inserted } = await at().upsertBars([
        row("NUMBERS", 0, { vol: NaN }),
        row("NUMBERS", 1, { vwap: Infinity }),
        row("NUMBERS", 2, { open: NaN, high: NaN, low: NaN, close: NaN }),
        row("NUMBERS", 3, { high: Infinity }),
        row("NUMBERS", 4, { trade_count: NaN }),
        row("NUMBERS", 5),
      ]);
      assert.deepEqual(refusals(refused), [
        [0, "23514", "data_bars_vol_in_range"],
        [1, "23514", "data_bars_vwap_in_range"],
        [2, "23514", "data_bars_finite_prices"],
        [3, "23514", "data_bars_finite_prices"],
        [4, "22023", null],
      ]);
      assert.deepEqual([inserted, await count(db, "NUMBERS")], [1, 1]);
    });

    await test.step("and refuses times that are not instants, or without a zone, and fields that it does not know", async () => {
      const { refused, inserted } = await at().upsertBars([
        row("TIMES", 0, { ts_utc: new Date(NaN) }),
        row("TIMES", 0, { ts_utc: "2025-07-01T00:00:00" }),
        row("TIMES", 0, { ts_utc: "2025-07-01T00:00:30Z" }),
        { ...row("TIMES", 0), volume: 1 } as BarInput,
        undefined as unknown as BarInput,
        row("TIMES", 0, { ts_utc: "2025-07-01T02:00:00+02:00" }),
      ]);
      assert.deepEqual(refusals(refused), [
        [0, "22023", null],
        [1, "22023", null],
        [2, "23514", "data_bars_ts_aligned"],
        [3, "22023", null],
        [4, "22023", null],
      ]);
      assert.match(refused[0]!.problem, /Invalid Date/);
      assert.match(refused[3]!.problem, /volume is not known/);
      assert.deepEqual([inserted, await times(db, "TIMES")], [1, ["2025-07-01T00:00:00.000Z"]]);
    });

    await test.step("and refuses what Postgres cannot store or JSON cannot carry, without a request of its own", async () => {
      const circular: Record<string, unknown> = {};
      circular["self"] = circular;
      const rows = Array.from({ length: 20 }, (_, number) => row("TEXT", number));
      rows[4] = row("a\0b", 4);
      rows[5] = row("TEXT", 5, { raw: { note: "half \ud800 a pair" } });
      rows[6] = row("TEXT", 6, { raw: { "a\0b": 1 } });
      rows[9] = row("TEXT", 9, { vol: NaN });
      rows[13] = row("TEXT", 13, { raw: circular });
      rows[14] = Object.defineProperty(row("TEXT", 14), "close", {
        enumerable: true,
        get: () => {
          throw new Error("no close");
        },
      });
      const connection = at();
      const { refused, inserted } = await connection.upsertBars(rows);
      assert.deepEqual(refusals(refused), [
        [4, "22023", null],
        [5, "22023", null],
        [6, "22023", null],
        [9, "23514", "data_bars_vol_in_range"],
        [13, "22023", null],
        [14, "22023", null],
      ]);
      const problems = refused.map(({ problem }) => problem);
      assert.match(problems[0]!, /^"canonical_symbol" holds U\+0000/);
      assert.match(problems[1]!, /^"note" holds/);
      assert.match(problems[4]!, /circular/);
      assert.equal(problems[5], "no close");
      assert.deepEqual([inserted, await count(db, "TEXT"), connection.urls.length], [14, 14, 1]);
      const onlyBad = await connection.upsertBars([rows[4]!, rows[13]!]);
      assert.deepEqual([onlyBad.refused.length, connection.urls.length], [2, 1]);
    });

    await test.step("however deep what the vendor sent is", async () => {
      let raw: unknown = [];
      for (let depth = 1; depth < 1000; depth++) raw = [raw];
      assert.equal((await at().upsertBars([row("DEEP", 0, { raw })])).inserted, 1);
    });

    await test.step("as fetch1mBars() gives them, without the field quality_score", async () => {
      await at().upsertBars([row("COPY", 0, { vol: 1, is_partial: true }), row("COPY", 1)]);
      const window = { from: new Date(START), to: new Date(START + 3_600_000) };
      const bars = await at().fetch1mBars({ symbols: ["COPY"], ...window });
      const again = await at().upsertBars(bars);
      assert.deepEqual([again.unchanged, again.refused], [2, []]);
      const rated = await at().upsertBars([{ ...bars[0]!, quality_score: 2 }]);
      assert.match(rated.refused[0]!.problem, /quality_score is not known/);
    });

    await test.step("of which the last of a key stays, in one batch or in two", async () => {
      const rows = Array.from({ length: 1001 }, (_, number) => row("TWICE", number));
      rows[1] = row("TWICE", 0, { close: 1.2 });
      rows[1000] = row("TWICE", 2, { close: 1.3 });
      const { inserted, updated, unchanged, superseded, refused } = await at().upsertBars(rows);
      assert.deepEqual([inserted, updated, unchanged, superseded, refused.length], [999, 1, 0, 1, 0]);
      const closes = await db.query<{ close: number }>(
        "select b.close from public.data_bars as b where b.canonical_symbol = 'TWICE' order by b.ts_utc limit 2",
      );
      assert.deepEqual(closes.map(({ close }) => close), [1.2, 1.3]);
    });

    await test.step("and clamps what rounding leaves above high where it is asked to", async () => {
      const rounded = row("ROUNDED", 0, { high: 1.1, close: 1.1000000000000003 });
      assert.equal((await at().upsertBars([rounded])).refused.length, 1);
      const { inserted, refused } = await at().upsertBars([rounded], { clamp: true });
      assert.deepEqual([inserted, refused], [1, []]);
    });

    await test.step("and names the symbols that the registry does not have", async () => {
      const rows = [row("STRAY_B", 0), row("STRAY_A", 0), row("STRAY_B", 1)];
      assert.deepEqual((await at().upsertBars(rows)).unregistered, ["STRAY_A", "STRAY_B"]);
    });

    await test.step("as whole rows, with what they hold", async () => {
      const whole = row("WHOLE", 0, {
        vol: 1.5,
        vwap: 1.05,
        trade_count: 987654321012n,
        is_partial: true,
        source: "massive_api",
        raw: { vendor: ["x", null], at: new Date(START) },
      });
      const read = async () =>
        (await db.query(
          `select b.vol, b.vwap, b.trade_count::text, b.is_partial, b.source, b.raw
           from public.data_bars as b where b.canonical_symbol = 'WHOLE'`,
        ))[0];
      await at().upsertBars([whole]);
      assert.deepEqual(await read(), {
        vol: 1.5,
        vwap: 1.05,
        trade_count: "987654321012",
        is_partial: true,
        source: "massive_api",
        raw: { vendor: ["x", null], at: "2025-07-01T00:00:00.000Z" },
      });
      assert.equal((await at().upsertBars([row("WHOLE", 0, { vol: undefined })])).updated, 1);
      assert.deepEqual(await read(), {
        vol: null,
        vwap: null,
        trade_count: null,
        is_partial: false,
        source: "ingest",
        raw: {},
      });
    });

    await test.step("and sends no request without rows", async () => {
      const connection = at();
      assert.deepEqual(await connection.upsertBars([]), {
        inserted: 0,
        updated: 0,
        unchanged: 0,
        superseded: 0,
        refused: [],
        unregistered: [],
      });
      await assert.rejects(connection.upsertBars({} as BarInput[]), {
        name: "TypeError",
        message: /rows must be an array/,
      });
      assert.deepEqual(connection.urls, []);
    });

    await test.step("and says what it stored when a later answer is empty or of an unknown shape", async () => {
      const rows = Array.from({ length: 1001 }, (_, number) => row("NONSENSE", number));
      for (const answer of [null, { inserted: 1 }, { inserted: 1, updated: 0, unchanged: 0, superseded: 0 }]) {
        const onRequest = (number: number) => number === 1 ? Response.json(answer) : undefined;
        const error: unknown = await at({ onRequest }).upsertBars(rows).catch((reason: unknown) => reason);
        assert.ok(error instanceof PgbarsError);
        const { inserted, unchanged } = error.soFar!;
        assert.equal(inserted + unchanged, 1000);
      }
    });

    await test.step("and says what it stored when a call fails halfway, after which it may be called again", async () => {
      const rows = Array.from({ length: 2100 }, (_, number) => row("HALFWAY", number));
      rows[7] = row("HALFWAY", 7, { vol: -1 });
      const breakDown = (number: number) =>
        number === 1 ? new Response("upstream is gone", { status: 502 }) : undefined;
      await assert.rejects(at({ onRequest: breakDown }).upsertBars(rows), (error) => {
        assert.ok(error instanceof PgbarsError);
        assert.deepEqual([error.status, error.soFar?.inserted, error.soFar?.refused.length], [502, 999, 1]);
        assert.match(
          error.message,
          /^upsertBars failed \(502\): upstream is gone\n.*999 rows were inserted.* 1 refused/,
        );
        return true;
      });
      assert.equal(await count(db, "HALFWAY"), 999);
      const { inserted, unchanged, refused } = await at().upsertBars(rows);
      assert.deepEqual([inserted, unchanged, refused.length], [1100, 999, 1]);
    });
  });
}

function row(symbol: string, minute: number, change: Partial<BarInput> = {}): BarInput {
  const ts_utc = new Date(START + minute * 60_000);
  return { canonical_symbol: symbol, ts_utc, open: 1, high: 2, low: 0.5, close: 1.1, ...change };
}

function refusals(refused: { index: number; code: string; constraint: string | null }[]) {
  return refused.map(({ index, code, constraint }) => [index, code, constraint]);
}

async function count(db: Database, symbol: string): Promise<number> {
  return (await times(db, symbol)).length;
}

async function times(db: Database, symbol: string): Promise<string[]> {
  const rows = await db.query<{ ts_utc: Date }>(
    "select b.ts_utc from public.data_bars as b where b.canonical_symbol = $1 order by b.ts_utc",
    [symbol],
  );
  return rows.map((row) => row.ts_utc.toISOString());
}
