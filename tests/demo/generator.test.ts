import assert from "node:assert/strict";
import { type Asset, assets, isOpen, marketStart } from "../../scripts/demo/assets.ts";
import { type Bar, HOUR, MINUTE } from "../../cli/lib/import/bar.ts";
import { generateBars, historyEnd, liveOutage } from "../../scripts/demo/generator.ts";

const market = { seed: 1, weeks: 2 };
const end = historyEnd(market);
const history = new Map(assets.map((asset) => [asset.symbol, [...generateBars(market, asset, 0, end)]]));
const barsOf = (asset: Asset): Bar[] => history.get(asset.symbol)!;
const assetOf = (symbol: string): Asset => assets.find((asset) => asset.symbol === symbol)!;

/** Lengths, in minutes, of the spans between bars in which the asset was open and silent. */
function silences(asset: Asset): number[] {
  const present = new Set(barsOf(asset).map((bar) => bar.ts));
  const lengths: number[] = [];
  let length = 0;
  for (let ts = marketStart; ts < end; ts += MINUTE) {
    if (!isOpen(asset, ts)) continue;
    if (!present.has(ts)) length++;
    else if (length > 0) {
      lengths.push(length);
      length = 0;
    }
  }
  return lengths;
}

// Compared as text: a difference between thousands of objects takes minutes to print.
const asText = (bars: Iterable<Bar>) => JSON.stringify([...bars]);

Deno.test("generateBars() gives the same bars for a seed, also when only a part is drawn", () => {
  const btc = assetOf("BTCUSD");
  assert.ok(asText(generateBars(market, btc, 0, end)) === asText(barsOf(btc)));
  const from = end - 6 * HOUR;
  assert.ok(asText(generateBars(market, btc, from, end)) === asText(barsOf(btc).filter((bar) => bar.ts >= from)));
  assert.ok(asText(generateBars({ ...market, seed: 2 }, btc, 0, end)) !== asText(barsOf(btc)));
});

Deno.test("generateBars() gives no two assets the same moves", () => {
  const moves = assets.map((asset) => barsOf(asset).slice(0, 50).map((bar) => bar.close >= bar.open).join());
  assert.equal(new Set(moves).size, assets.length);
});

Deno.test("generateBars() gives aligned bars in order of time whose prices agree", () => {
  for (const bars of history.values()) {
    bars.forEach((bar, index) => {
      assert.equal(bar.ts % MINUTE, 0);
      assert.ok(index === 0 || bar.ts > bars[index - 1]!.ts);
      assert.ok(bar.low > 0 && bar.low <= Math.min(bar.open, bar.close), JSON.stringify(bar));
      assert.ok(bar.high >= Math.max(bar.open, bar.close), JSON.stringify(bar));
      if (bar.vwap !== null) assert.ok(bar.vwap >= bar.low && bar.vwap <= bar.high, JSON.stringify(bar));
    });
  }
});

Deno.test("generateBars() gives volume, vwap and trade count for some assets and none of them for others", () => {
  const withVolume = assets.filter((asset) => barsOf(asset).some((bar) => bar.vol !== null));
  assert.deepEqual(withVolume.map((asset) => asset.symbol), ["BTCUSD", "SPY"]);
  for (const asset of assets) {
    for (const bar of barsOf(asset)) {
      assert.equal(bar.vol === null, bar.tradeCount === null);
      assert.ok(bar.vol === null || bar.vol === 0 || bar.vwap !== null);
    }
  }
});

Deno.test("generateBars() keeps the FX weekend and trades crypto through it", () => {
  const inWeekend = (bar: Bar) => {
    const saturday = Date.UTC(2025, 8, 6);
    return bar.ts >= saturday - 3 * HOUR && bar.ts < saturday + 45 * HOUR;
  };
  for (const asset of assets) {
    assert.equal(barsOf(asset).some(inWeekend), asset.assetClass === "crypto", asset.symbol);
  }
});

Deno.test("generateBars() leaves single minutes out, and falls silent for minutes and for hours", () => {
  const all = assets.flatMap(silences);
  assert.ok(all.filter((minutes) => minutes === 1).length > 100);
  assert.ok(all.some((minutes) => minutes >= 5 && minutes < 60));
  assert.ok(all.some((minutes) => minutes >= 60));
});

Deno.test("generateBars() makes five-minute windows of three, four and five bars", () => {
  const counts = new Map<number, number>();
  for (const bar of barsOf(assetOf("EURUSD"))) {
    const window = Math.floor(bar.ts / (5 * MINUTE));
    counts.set(window, (counts.get(window) ?? 0) + 1);
  }
  for (const size of [3, 4, 5]) assert.ok([...counts.values()].includes(size), `no window of ${size}`);
});

Deno.test("generateBars() silences the FX feed, and no other, in the live part", () => {
  const { from, to } = liveOutage(market);
  assert.ok(from > end);
  for (const asset of assets) {
    const silent = [...generateBars(market, asset, from, to)].length === 0;
    assert.equal(silent, asset.assetClass === "fx", asset.symbol);
  }
});
