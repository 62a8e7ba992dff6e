import assert from "node:assert/strict";
import type { Database } from "../../scripts/lib/database.ts";
import { PAIRS } from "../support/pairs.ts";
import { ENGINES } from "../support/stack.ts";
import { fingerprint } from "./fingerprint.ts";
import { bar, webhook } from "./payloads.ts";

const BASE = 50.14348112;

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`derive-dxy derives minutes (${engine})`, async (test) => {
    await using stack = await openStack();
    const { db } = stack;
    const derive = (body: unknown) => stack.post("derive-dxy", body);

    await test.step("of a half-open range, whatever the offset it is given in", async () => {
      await insertMinutes(db, "2025-07-01T12:00Z", 5);
      const { status, body } = await derive({ from: "2025-07-01T14:01:00+02:00", to: "2025-07-01T12:04:00Z" });
      assert.equal(status, 200);
      assert.deepEqual(body, {
        symbol: "DXY",
        version: 1,
        ranges: [{ from: "2025-07-01T12:01:00.000Z", to: "2025-07-01T12:04:00.000Z" }],
        inserted: 3,
        updated: 0,
        unchanged: 0,
        removed: 0,
        skipped_incomplete: 0,
      });
      assert.deepEqual(await readCloses(db, "DXY"), { "12:01": BASE, "12:02": BASE, "12:03": BASE });
    });

    await test.step("in the version asked for, otherwise in the series' own", async () => {
      const range = { from: "2025-07-01T12:01:00Z", to: "2025-07-01T12:04:00Z" };
      assert.deepEqual(counts(await derive({ ...range, symbol: "DXY", version: 2 })), { updated: 3 });
      assert.deepEqual(counts(await derive(range)), { updated: 3 });
      await setVersion(db, 2);
      const own = await derive(range);
      assert.deepEqual([own.body.version, counts(own)], [2, { updated: 3 }]);
      const first = "2025-07-01T12:01:00+00:00";
      const webhooked = await derive(webhook("UPDATE", "data_bars", bar("USDSEK", first)));
      assert.deepEqual([webhooked.body.version, counts(webhooked)], [2, { unchanged: 1 }]);
      assert.equal((await derive({})).body.version, 2);
      await setVersion(db, null);
      const unnamed = await derive(range);
      assert.deepEqual([unnamed.body.version, counts(unnamed)], [1, { updated: 3 }]);
      await setVersion(db, 1);
    });

    await test.step("of another basket by its name", async () => {
      await db.query(
        `insert into public.core_asset_registry_all (canonical_symbol, metadata) values ('EURAVG', $1)`,
        [{ is_synthetic: true, components: ["EURUSD"], component_weights: { EURUSD: 1 }, formula_base: 3 }],
      );
      const range = { from: "2025-07-01T12:00:00Z", to: "2025-07-01T12:02:00Z" };
      const { status, body } = await derive({ ...range, symbol: "EURAVG" });
      assert.deepEqual([status, body.symbol, counts({ body })], [200, "EURAVG", { inserted: 2 }]);
      assert.deepEqual(await readCloses(db, "EURAVG"), { "12:00": 3, "12:01": 3 });
    });

    await test.step("of a component bar that was inserted, changed, moved or deleted", async () => {
      const first = "2025-07-01T12:00:00+00:00", last = "2025-07-01T14:04:00+02:00";
      assert.deepEqual(counts(await derive(webhook("INSERT", "data_bars", bar("USDSEK", first)))), { inserted: 1 });
      const changed = await derive(webhook("UPDATE", "data_bars", bar("USDSEK", first)));
      assert.deepEqual([changed.body.ranges.length, counts(changed)], [1, { unchanged: 1 }]);
      const moved = await derive(webhook("UPDATE", "data_bars", bar("USDSEK", last), bar("USDSEK", first)));
      assert.deepEqual(counts(moved), { inserted: 1, unchanged: 1 });
      assert.equal(moved.body.ranges.length, 2);
      await db.query(
        "delete from public.data_bars where canonical_symbol = 'USDSEK' and ts_utc = '2025-07-01 12:04:00+00'",
      );
      assert.deepEqual(counts(await derive(webhook("DELETE", "data_bars", bar("USDSEK", last)))), {
        removed: 1,
        skipped_incomplete: 1,
      });
      assert.deepEqual(Object.keys(await readCloses(db, "DXY")), ["12:00", "12:01", "12:02", "12:03"]);
    });

    await test.step("but none for a bar that is no component's, least of all its own", async () => {
      for (const symbol of ["AUDUSD", "DXY"]) {
        const answer = await derive(webhook("INSERT", "data_bars", bar(symbol, "2025-07-01T12:00:00+00:00")));
        assert.deepEqual([answer.status, answer.body.ranges, counts(answer)], [200, [], {}]);
      }
    });

    await test.step("of a whole range of 31 days, but not of a millisecond more", async () => {
      assert.equal((await derive({ from: "2025-07-01T00:00:00Z", to: "2025-08-01T00:00:00Z" })).status, 200);
      const longer = await derive({ from: "2025-07-01T00:00:00Z", to: "2025-08-01T00:00:00.001Z" });
      assert.deepEqual([longer.status, longer.body.issues[0].path], [422, ["to"]]);
    });

    await test.step("from the task's cursor when nothing is asked for, or of the last day without a task", async () => {
      const HOUR = 3_600_000;
      const span = async () => {
        const [range] = (await derive({})).body.ranges;
        const to = Date.parse(range.to);
        assert.ok(Math.abs(Date.now() - to) < 2 * 60_000, range.to);
        assert.equal(to % 60_000, 0, range.to);
        return { hours: (to - Date.parse(range.from)) / HOUR, from: Date.parse(range.from) };
      };
      assert.equal((await span()).hours, 31 * 24);
      await db.query("delete from public.data_agg_state where canonical_symbol = 'DXY'");
      assert.equal((await span()).hours, 24);
      await stack.post("registry-sync", { env: "prod" });
      const cursor = Math.floor(Date.now() / 60_000) * 60_000 - 5 * HOUR;
      await db.query(
        "update public.data_agg_state set last_agg_bar_ts_utc = $1 where canonical_symbol = 'DXY' and timeframe = '1m'",
        [new Date(cursor)],
      );
      assert.equal((await span()).from, cursor + 60_000);
      await insertMinutes(db, new Date(cursor).toISOString(), 3);
      assert.deepEqual(counts(await derive({})), { inserted: 2 });
      const ahead = new Date(cursor + 9 * HOUR);
      await db.query(
        "update public.data_agg_state set last_agg_bar_ts_utc = $1 where canonical_symbol = 'DXY' and timeframe = '1m'",
        [ahead],
      );
      assert.deepEqual((await derive({})).body.ranges, []);
    });

    await test.step("once, for the same webhook five times and fifty at once", async () => {
      await insertMinutes(db, "2025-07-02T00:00Z", 2);
      const [first, second] = ["2025-07-02T00:00:00+00:00", "2025-07-02T00:01:00+00:00"]
        .map((time) => webhook("INSERT", "data_bars", bar("EURUSD", time)));
      assert.deepEqual(counts(await derive(first)), { inserted: 1 });
      const once = await fingerprint(db);
      for (let count = 0; count < 4; count++) assert.deepEqual(counts(await derive(first)), { unchanged: 1 });
      assert.deepEqual(await fingerprint(db), once);

      const answers = await Promise.all(Array.from({ length: 50 }, () => derive(second)));
      assert.deepEqual(answers.map(({ status }) => status), Array(50).fill(200));
      assert.equal(answers.filter(({ body }) => body.inserted === 1).length, 1);
      assert.equal(answers.filter(({ body }) => body.unchanged === 1).length, 49);
    });
  });
}

/** Component bars with all rates 1, but opens of 2 where they fit, so that versions differ. */
async function insertMinutes(db: Database, from: string, minutes: number): Promise<void> {
  await db.query(
    `insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
     select s.symbol, $2::timestamptz + m.minute * interval '1 minute', 2, 2, 1, 1
     from unnest($1::text[]) as s (symbol) cross join generate_series(0, $3::integer - 1) as m (minute)`,
    [PAIRS, from, minutes],
  );
}

async function readCloses(db: Database, symbol: string): Promise<Record<string, number>> {
  const rows = await db.query<{ time: string; close: number }>(
    `select to_char(d.ts_utc at time zone 'UTC', 'HH24:MI') as time, d.close
     from public.data_bars as d where d.canonical_symbol = $1 order by d.ts_utc`,
    [symbol],
  );
  return Object.fromEntries(rows.map((row) => [row.time, row.close]));
}

/** Says in which version DXY is derived; null: says nothing of it. */
async function setVersion(db: Database, version: number | null): Promise<void> {
  await db.query(
    `update public.core_asset_registry_all
     set metadata = jsonb_strip_nulls(metadata || jsonb_build_object('derivation_version', $1::integer)) where canonical_symbol = 'DXY'`,
    [version],
  );
}

function counts({ body }: { body: Record<string, unknown> }): Record<string, unknown> {
  return Object.fromEntries(
    ["inserted", "updated", "unchanged", "removed", "skipped_incomplete"]
      .filter((name) => body[name] !== 0).map((name) => [name, body[name]]),
  );
}
