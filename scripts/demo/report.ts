import stringWidth from "string-width";
import type { Database } from "../lib/database.ts";
import { formatCount, formatTime, renderTable } from "./text.ts";

/** One task, as the final table shows it. */
export interface TaskRow {
  canonical_symbol: string;
  timeframe: string;
  /** Bars it is built from: 1m or 5m bars of the symbol, for a synthetic 1m series the 1m bars of its components. */
  source_bars: number;
  /** Windows decided: from the first one at the asset's start to the cursor, both included. */
  windows: number;
  bars: number;
  /** Bars by quality; null for a synthetic 1m series, which has none. */
  excellent: number | null;
  good: number | null;
  poor: number | null;
  /** Windows decided without a bar: those in gaps, and those with too few source bars. */
  no_bar: number;
  gaps: number;
  gap_windows: number;
  cursor_utc: Date;
  status: string;
}

/** The query behind the table: every number of it, a row a task. */
export const tableSql = `
with task as (
  select s.canonical_symbol, s.timeframe, s.source_timeframe, s.status, s.run_interval_minutes, t.duration,
    s.last_agg_bar_ts_utc as cursor_utc,
    (extract(epoch from s.last_agg_bar_ts_utc - agg.bootstrap_cursor(s.agg_start_utc, t.duration)) / extract(epoch from t.duration))::bigint as windows
  from data_agg_state as s join agg.timeframe as t using (timeframe)
  where s.enabled
), counted as (
  select t.*,
    case when t.timeframe = '1m' then (
      select count(*) from agg.synthetic_component as k join data_bars as b on b.canonical_symbol = k.component
      where k.canonical_symbol = t.canonical_symbol
    ) else (
      select count(*) from agg.source_bar as b
      where b.canonical_symbol = t.canonical_symbol and b.timeframe = t.source_timeframe
        and b.is_bar
    ) end as source_bars,
    q.*, g.*
  from task as t
  cross join lateral (
    select count(*) as derived, count(*) filter (where d.quality_score = 2) as excellent,
      count(*) filter (where d.quality_score = 1) as good, count(*) filter (where d.quality_score = 0) as poor
    from derived_data_bars as d
    where d.canonical_symbol = t.canonical_symbol and d.timeframe = t.timeframe and d.deleted_at is null
  ) as q
  cross join lateral (
    select count(*) as gaps, coalesce(sum(g.windows), 0)::bigint as gap_windows
    from agg_gaps(t.canonical_symbol, t.timeframe) as g
  ) as g
)
select c.canonical_symbol, c.timeframe, c.source_bars, c.windows, b.bars,
  case when c.timeframe <> '1m' then c.excellent end as excellent,
  case when c.timeframe <> '1m' then c.good end as good,
  case when c.timeframe <> '1m' then c.poor end as poor,
  c.windows - b.bars as no_bar, c.gaps, c.gap_windows, c.cursor_utc, c.status
from counted as c
cross join lateral (
  select case when c.timeframe = '1m'
    then (select count(*) from data_bars as d where d.canonical_symbol = c.canonical_symbol) else c.derived end as bars
) as b
order by c.canonical_symbol, c.duration`.trim();

/** Short queries for checking one line of the table, here EURUSD 5m, and the DXY bar. */
const checks = [
  ["source", "select count(*) from data_bars where canonical_symbol = 'EURUSD'"],
  [
    "bars, quality",
    "select quality_score, count(*) from derived_data_bars where canonical_symbol = 'EURUSD' and timeframe = '5m' and deleted_at is null group by 1",
  ],
  ["gaps", "select count(*), sum(windows) from agg_gaps('EURUSD', '5m')"],
  [
    "cursor, status",
    "select last_agg_bar_ts_utc, status, agg_start_utc from data_agg_state where canonical_symbol = 'EURUSD' and timeframe = '5m'",
  ],
  [
    "last DXY bar",
    "select * from derived_data_bars where canonical_symbol = 'DXY' and timeframe = '1h' and deleted_at is null order by ts_utc desc limit 1",
  ],
] as const;

export function readTasks(db: Database): Promise<TaskRow[]> {
  return db.query<TaskRow>(tableSql);
}

/** A column of the table: its head, its cell for a task, and whether it is a number. */
type Column = [head: string, cell: (task: TaskRow) => string, isNumber?: true];

const count = (value: number | null) => value === null ? "-" : formatCount(value);
const columns: Column[] = [
  ["symbol", (task) => task.canonical_symbol],
  ["tf", (task) => task.timeframe],
  ["source", (task) => count(task.source_bars), true],
  ["windows", (task) => count(task.windows), true],
  ["bars", (task) => count(task.bars), true],
  ["excellent", (task) => count(task.excellent), true],
  ["good", (task) => count(task.good), true],
  ["poor", (task) => count(task.poor), true],
  ["no bar", (task) => count(task.no_bar), true],
  ["in gaps", (task) => task.gaps === 0 ? "0" : `${count(task.gap_windows)} (${count(task.gaps)})`, true],
  ["cursor (UTC)", (task) => formatTime(task.cursor_utc)],
  ["status", (task) => task.status],
];

/** What a narrow terminal does without, the first to go first. The other columns and the failures imply most of it. */
const dispensable = ["status", "in gaps", "windows", "source", "poor", "good", "excellent"];

/** The table, as text, with as many columns as fit into `width`. */
export function renderTasks(tasks: readonly TaskRow[], width: number): string {
  const render = (some: Column[]) =>
    renderTable(
      some.map(([head]) => head),
      tasks.map((task) => some.map(([, cell]) => cell(task))),
      some.map(([, , isNumber]) => isNumber ?? false),
    );
  for (let left = 0;; left++) {
    const out = dispensable.slice(0, left);
    const text = render(columns.filter(([head]) => !out.includes(head)));
    if (left === dispensable.length || text.split("\n").every((line) => stringWidth(line) <= width)) return text;
  }
}

const legend: [column: string, meaning: string][] = [
  ["source", "source: the bars that a timeframe is built from, 1m or 5m; for DXY 1m those of its pairs."],
  ["windows", "windows = bars + no bar: those that are decided."],
  [
    "excellent",
    "excellent, good, poor: all, at least 80 %, at least 60 % of the minutes of a bar's window were there.",
  ],
  ["no bar", "no bar: fewer minutes than that, as at weekends and in outages."],
  ["in gaps", "in gaps: windows without any source bar that were stepped over (and in how many gaps)."],
  ["cursor", "cursor: the start of the last window that is decided."],
];

/** What the columns of a table of {@link renderTasks} mean, a sentence each. */
export function explainColumns(table: string): string[] {
  return legend.filter(([column]) => table.split("\n")[0]!.includes(column)).map(([, meaning]) => meaning);
}

/** The queries that give the printed numbers, as text. */
export function explain(): string {
  return [
    "Check one line of the table (EURUSD 5m), and the last DXY bar:",
    ...checks.map(([what, sql]) => `  ${what.padEnd(15)}${sql};`),
    "The whole table comes from one query:",
    ...tableSql.split("\n").map((line) => `  ${line}`),
  ].join("\n");
}
