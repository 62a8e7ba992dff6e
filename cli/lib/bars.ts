import { stringify } from "csv-stringify/sync";
import plot from "simple-ascii-chart";
import { alignColumns } from "./table.ts";

/** A row of get_bars. */
export interface BarRow {
  canonical_symbol: string;
  timeframe: string;
  /** ISO 8601, in UTC. */
  ts_utc: string;
  open: number;
  high: number;
  low: number;
  close: number;
  vol: number | null;
  vwap: number | null;
  trade_count: number | null;
  quality_score: number | null;
  covered_minutes: number;
  expected_minutes: number | null;
  is_partial: boolean;
  is_filled: boolean;
  is_forming: boolean;
  updated_at: string | Date | null;
}

export const BARS_FORMATS = ["table", "csv", "chart"] as const;

export type BarsFormat = typeof BARS_FORMATS[number];

/** Bars as text of at most `width` columns, which only a chart keeps to. */
export function renderBars(rows: readonly BarRow[], format: BarsFormat, width: number): string {
  if (format === "csv") return renderCsv(rows);
  if (rows.length === 0) return "No bars.";
  return format === "table" ? renderTable(rows) : renderCharts(rows, width);
}

const COLUMNS = [
  ...["canonical_symbol", "timeframe", "ts_utc", "open", "high", "low", "close", "vol", "vwap", "trade_count"],
  ...["quality_score", "covered_minutes", "expected_minutes", "is_partial", "is_filled", "is_forming"],
];

function renderCsv(rows: readonly BarRow[]): string {
  const cast = { boolean: (value: boolean) => String(value) };
  return stringify([...rows], { header: true, columns: COLUMNS, cast }).trimEnd();
}

const QUALITIES = ["poor", "good", "excellent"];

function renderTable(rows: readonly BarRow[]): string {
  const head = ["symbol", "time (UTC)", "open", "high", "low", "close", "vol", "vwap", "minutes", ""];
  return alignColumns([
    head,
    ...rows.map((row) => [
      row.canonical_symbol,
      formatTime(row.ts_utc),
      ...[row.open, row.high, row.low, row.close, row.vol, row.vwap].map(formatNumber),
      row.timeframe === "1m" ? "" : String(row.covered_minutes),
      row.is_filled ? "filled" : row.is_forming ? "forming" : QUALITIES[row.quality_score ?? -1] ?? "",
    ]),
  ]).join("\n");
}

/** The closes of each symbol as a line, the latest on the right. A column is a bar, and the last of them fit. */
function renderCharts(rows: readonly BarRow[], width: number): string {
  const symbols = [...new Set(rows.map(({ canonical_symbol }) => canonical_symbol))];
  return symbols.map((symbol) => renderChart(rows.filter((row) => row.canonical_symbol === symbol), width)).join(
    "\n\n",
  );
}

/** Columns that the scale takes. */
const SCALE = 14;

function renderChart(rows: readonly BarRow[], width: number): string {
  const bars = rows.slice(-Math.max(10, width - SCALE));
  const { canonical_symbol, timeframe } = bars[0]!;
  const closes = bars.map(({ close }) => close);
  const [low, high] = [Math.min(...closes), Math.max(...closes)];
  const title = `${canonical_symbol} ${timeframe}, close of ${bars.length} bars, ` +
    `${formatTime(bars[0]!.ts_utc)} to ${formatTime(bars.at(-1)!.ts_utc)} UTC`;
  if (low === high) return `${title}\n\n${formatNumber(low)} in all of them`;
  const decimals = Math.max(0, Math.min(8, 2 - Math.floor(Math.log10(high - low))));
  const chart = plot(closes.map((close, index): [number, number] => [index, close]), {
    width: bars.length,
    height: 12,
    hideXAxis: true,
    customYAxisTicks: [0, 0.25, 0.5, 0.75, 1].map((part) => low + part * (high - low)),
    formatter: (value) => value.toFixed(decimals),
  });
  return `${title}\n\n${chart.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "").join("\n")}`;
}

function formatTime(time: string): string {
  return time.slice(0, 16).replace("T", " ");
}

/** Sums of doubles end in noise. */
function formatNumber(value: number | null): string {
  return value === null ? "" : String(Number(value.toPrecision(12)));
}
