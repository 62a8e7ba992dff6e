import assert from "node:assert/strict";
import instants from "../fixtures/instants.json" with { type: "json" };
import { openEngine } from "../support/engine.ts";

const RENDERED = `to_char(i.instant at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

Deno.test("the database reads and refuses instants as every door does", async (test) => {
  await using engine = await openEngine();
  const { db } = engine;
  const texts = instants.map(({ text }) => text);

  await test.step("agg.utc_instant()", async () => {
    const read = await db.query<{ text: string; utc: string | null }>(
      `select t.text, ${RENDERED} as utc
       from jsonb_array_elements_text($1::jsonb) with ordinality as t (text, nr)
       cross join lateral (select agg.utc_instant(t.text)) as i (instant)
       order by t.nr`,
      [JSON.stringify(texts)],
    );
    assert.deepEqual(read, instants.map(({ text, utc }) => ({ text, utc })));
  });

  await test.step("upsert_bars()", async () => {
    // Whether a bar is stored or refused for its second: the instant was read.
    const bars = texts.map((text, index) => (
      { canonical_symbol: `S${index}`, ts_utc: text, open: 1, high: 1, low: 1, close: 1 }
    ));
    const [row] = await db.query<
      { answer: { refused: { index: number; constraint: string | null; problem: string }[] } }
    >(
      "select public.upsert_bars($1::jsonb) as answer",
      [JSON.stringify(bars)],
    );
    const unread = row!.answer.refused.filter(({ constraint }) => constraint === null);
    assert.deepEqual(
      unread.map(({ index }) => texts[index]),
      instants.filter(({ utc }) => utc === null).map(({ text }) => text),
    );
    const stored = await db.query<{ symbol: string; utc: string }>(
      `select i.canonical_symbol as symbol, ${RENDERED} as utc
       from (select b.canonical_symbol, b.ts_utc as instant from public.data_bars as b) as i`,
    );
    assert.ok(stored.length > 20);
    for (const { symbol, utc } of stored) assert.equal(utc, instants[Number(symbol.slice(1))]!.utc);
  });

  await test.step("metadata.agg.start_utc", async () => {
    const accepted = await db.query(
      `with added as (
         insert into public.core_asset_registry_all (canonical_symbol, metadata)
         select 'M' || t.nr, jsonb_build_object('agg', jsonb_build_object('start_utc', t.text))
         from jsonb_array_elements_text($1::jsonb) with ordinality as t (text, nr)
         returning canonical_symbol
       )
       select 1`,
      [JSON.stringify(instants.filter(({ utc }) => utc !== null).map(({ text }) => text))],
    );
    assert.equal(accepted.length, 1);
    for (const text of ["2026-01-05T12:00:00", "2026-01-05T12:00:00.0000001Z"]) {
      await assert.rejects(
        db.query("insert into public.core_asset_registry_all (canonical_symbol, metadata) values ('BAD', $1::jsonb)", [
          { agg: { start_utc: text } },
        ]),
        /start_utc/,
      );
    }
  });
});
