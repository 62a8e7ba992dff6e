import plot from "simple-ascii-chart";
import type { Database } from "../lib/database.ts";
import { formatTime, renderTable } from "./text.ts";

/** A built bar, as far as a reader cares. */
interface BuiltBar {
  canonical_symbol: string;
  timeframe: string;
  ts_utc: Date;
  open: number;
  high: number;
  low: number;
  close: number;
  vol: number | null;
  vwap: number | null;
  trade_count: number | null;
  source_timeframe: string;
  source_candles: number;
  expected_candles: number;
  covered_minutes: number;
  expected_minutes: number;
  quality_score: number;
  updated_at: Date;
}

const builtBars = `
  select d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
    d.source_timeframe, d.source_candles, d.expected_candles, d.covered_minutes, d.expected_minutes, d.quality_score,
    d.updated_at
  from public.derived_data_bars as d
  where d.deleted_at is null`;

/** The last `count` bars of one hour of DXY, or of the first symbol that has any, in order of time. */
export async function readHours(db: Database, count: number): Promise<BuiltBar[]> {
  const bars = await db.query<BuiltBar>(
    `${builtBars} and d.timeframe = '1h' and d.canonical_symbol = (
       select s.canonical_symbol from public.derived_data_bars as s where s.timeframe = '1h' and s.deleted_at is null
       order by s.canonical_symbol <> 'DXY', s.canonical_symbol limit 1
     )
     order by d.ts_utc desc limit $1`,
    [count],
  );
  return bars.reverse();
}

/** The last 5m bar, of a symbol with volume where there is one. */
export async function readLastFiveMinutes(db: Database): Promise<BuiltBar | undefined> {
  const [bar] = await db.query<BuiltBar>(
    `${builtBars} and d.timeframe = '5m' order by d.vol is null, d.ts_utc desc, d.canonical_symbol limit 1`,
  );
  return bar;
}

/** The close of bars as a line, a column a bar, `width` columns without the scale. Hours without a bar take no room. */
export function renderChart(bars: readonly BuiltBar[], width: number): string {
  const closes = bars.map((bar) => bar.close);
  const [low, high] = [Math.min(...closes), Math.max(...closes)];
  const decimals = Math.max(0, Math.min(8, 2 - Math.floor(Math.log10(high - low || high || 1))));
  const day = (index: number) => bars[index]?.ts_utc.toISOString().slice(5, 10) ?? "";
  const newDays = bars.map((_, index) => index).filter((index) => index > 0 && day(index) !== day(index - 1));
  const chart = plot(bars.map((bar, index): [number, number] => [index, bar.close]), {
    width,
    height: 9,
    // A label takes five columns; one that would touch the next is left out.
    customXAxisTicks: newDays.filter((index, nr) => (newDays[nr + 1] ?? Infinity) - index > 7),
    customYAxisTicks: [0, 0.25, 0.5, 0.75, 1].map((part) => low + part * (high - low)),
    formatter: (value, { axis }) => axis === "y" ? value.toFixed(decimals) : day(value),
  });
  return chart.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "").join("\n");
}

const qualities = ["poor", "good", "excellent"];

/** Bars side by side, a line for each of their columns. */
export function renderBars(bars: readonly BuiltBar[]): string {
  const names = Object.keys(bars[0]!) as (keyof BuiltBar)[];
  const [first, ...rest] = names.map((name) => [name, ...bars.map((bar) => describe(bar, name))]);
  return renderTable(first!, rest);
}

function describe(bar: BuiltBar, name: keyof BuiltBar): string {
  const value = bar[name];
  if (value instanceof Date) return formatTime(value);
  if (name === "quality_score") return `${value} (${qualities[bar.quality_score]})`;
  // Sums of doubles end in noise.
  return typeof value === "number" ? String(Number(value.toPrecision(12))) : String(value);
}
