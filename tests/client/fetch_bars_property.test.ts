import assert from "node:assert/strict";
import fc from "fast-check";
import type { Bar } from "../../client/mod.ts";
import { checkProperty } from "../support/check_property.ts";
import { ENGINES } from "../support/stack.ts";
import { connect } from "./connection.ts";
import { assertSameBars, readStored, storeDerived, storeMinutes } from "./stored.ts";

const START = Date.parse("2025-07-01T00:00:00Z");
const RUNS = 12;

const symbol = fc.oneof(
  fc.constantFrom("EURUSD", "eurusd", "A,B", 'Q"T', "back\\slash", "(x)", "a.b", "null", " ", "é", "EUR/USD"),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }).filter((text) => !text.includes("\0")),
);

const history = fc.record({
  symbols: fc.uniqueArray(
    fc.record({
      symbol,
      minutes: fc.nat(12),
      derived: fc.array(fc.boolean(), { maxLength: 4 }),
      /** When it is asked for; those with the same number come in the order of the list, null never. */
      asked: fc.option(fc.nat(3)),
    }),
    { selector: (entry) => entry.symbol, maxLength: 6 },
  ),
  timeframe: fc.constantFrom("1m", "5m"),
  fromMinute: fc.integer({ min: -2, max: 12 }),
  // A long window asks for each symbol alone.
  length: fc.oneof(fc.integer({ min: 1, max: 15 }), fc.constant(5000)),
  maxRows: fc.integer({ min: 1, max: 9 }),
});

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`fetchBars() brings the bars that the database has, whatever the page (${engine})`, async () => {
    await using stack = await openStack();
    const { db } = stack;
    let bars = 0;
    await checkProperty(RUNS, [history], async ({ symbols, timeframe, fromMinute, length, maxRows }) => {
      await db.exec("truncate public.data_bars, public.derived_data_bars");
      for (const { symbol, minutes, derived } of symbols) {
        await storeMinutes(db, symbol, new Date(START).toISOString(), minutes);
        await storeDerived(db, symbol, new Date(START).toISOString(), derived);
      }
      const asked = symbols.filter((entry) => entry.asked !== null)
        .sort((one, other) => one.asked! - other.asked!).map((entry) => entry.symbol);
      const from = new Date(START + fromMinute * 60_000).toISOString();
      const to = new Date(START + (fromMinute + length) * 60_000).toISOString();
      const expected: Bar[] = [];
      for (const symbol of asked) expected.push(...await readStored(db, { symbol, timeframe, from, to }));

      const connection = connect(stack.url, stack.keys.secret, { maxRows });
      assertSameBars(await connection.fetchBars({ symbols: asked, timeframe, from, to }), expected);
      bars += expected.length;
    });
    assert.ok(bars > 0, "no history had a bar to read");
  });
}
