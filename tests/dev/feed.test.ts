import assert from "node:assert/strict";
import { type Bar, HOUR, MINUTE } from "../../cli/lib/import/bar.ts";
import { assets } from "../../scripts/demo/assets.ts";
import { generateBars } from "../../scripts/demo/generator.ts";
import { openFeed, silenceAt } from "../../scripts/dev/feed.ts";

/** A Wednesday at noon, when all markets are open soon. */
const FROM = Date.UTC(2026, 6, 15, 12, 10);
const market = { seed: 1, weeks: 1, start: Date.UTC(2026, 6, 13) };
const key = (bar: Bar) => `${bar.symbol} ${bar.ts}`;

Deno.test("openFeed() gives each minute when it has ended, some late and some never, and none twice", () => {
  const feed = openFeed(market, FROM);
  const [came, late] = [new Map<string, number>(), new Map<string, number>()];
  for (let now = FROM; now <= FROM + 6 * HOUR; now += MINUTE) {
    const taken = feed.take(now);
    for (const bar of taken.bars) {
      assert.equal(bar.ts + MINUTE, now);
      assert.ok(!came.has(key(bar)));
      came.set(key(bar), now);
    }
    for (const bar of taken.late) late.set(key(bar), now);
  }
  const all = assets.flatMap((asset) => [...generateBars(market, asset, FROM, FROM + 6 * HOUR)]);
  const lost = all.filter((bar) => !came.has(key(bar)) && !late.has(key(bar)));
  assert.equal(came.size + late.size + lost.length, all.length, "no other bar comes");
  assert.ok(late.size >= 20 && lost.length >= 60, `${late.size} late, ${lost.length} lost`);
  for (const bar of all) {
    const { symbol, from, to, lateAt } = silenceAt(bar.ts);
    // The silence that the feed begins in is left out.
    const isSilent = bar.symbol === symbol && bar.ts >= from && bar.ts < to && from >= FROM;
    assert.equal(late.get(key(bar)), isSilent ? lateAt : undefined);
    assert.equal(came.has(key(bar)), !isSilent);
  }
});

Deno.test("silenceAt() silences only what trades: at a weekend the one market that is open", () => {
  const saturday = Date.UTC(2026, 6, 18, 12);
  for (let ts = saturday; ts < saturday + 6 * HOUR; ts += MINUTE) assert.equal(silenceAt(ts).symbol, "BTCUSD");
  const weekday = new Set(Array.from({ length: 600 }, (_, minute) => silenceAt(FROM + minute * MINUTE).symbol));
  assert.ok(weekday.size >= 5);
});
