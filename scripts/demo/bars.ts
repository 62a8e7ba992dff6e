import plot from "simple-ascii-chart";
import type { Database } from "../lib/database.ts";
import { formatCount, formatTime, formatValue, renderTable } from "./text.ts";

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

/** The close of bars as a line, one column a bar; about `width` columns wide. Hours without a bar are left out. */
export function renderChart(bars: readonly BuiltBar[], width: number): string {
  const closes = bars.map((bar) => bar.close);
  const [low, high] = [Math.min(...closes), Math.max(...closes)];
  const decimals = Math.max(0, Math.min(8, 2 - Math.floor(Math.log10(high - low || high || 1))));
  const days = bars.flatMap(({ ts_utc }, index) => {
    const before = bars[index - 1]?.ts_utc ?? ts_utc;
    return ts_utc.getUTCDate() === before.getUTCDate() ? [] : [index];
  });
  return plot(bars.map((bar, index): [number, number] => [index, bar.close]), {
    width,
    height: 10,
    customXAxisTicks: days,
    formatter: (value, { axis }) =>
      axis === "y" ? value.toFixed(decimals) : bars[value]?.ts_utc.toISOString().slice(5, 10) ?? "",
  });
}

const qualities = ["poor", "good", "excellent"];

/** Bars as columns of a table, a row a column of theirs. */
export function renderBars(bars: readonly BuiltBar[]): string {
  const names = Object.keys(bars[0]!) as (keyof BuiltBar)[];
  const cell = (bar: BuiltBar, name: keyof BuiltBar) => {
    const value = bar[name];
    if (name === "ts_utc" || name === "updated_at") return formatTime(value as Date);
    if (name === "quality_score") return `${value} (${qualities[bar.quality_score]})`;
    return typeof value === "number" && Number.isInteger(value) ? formatCount(value) : formatValue(value);
  };
  const [first, ...rest] = names.map((name) => [name, ...bars.map((bar) => cell(bar, name))]);
  return renderTable(first!, rest);
}
