import { cpus } from "node:os";
import type { Cost, Day, Metrics, Size, Work } from "./day.ts";

/** docs/capacity.md, from what was measured. */
export function renderPage({ symbols, costs, sizes, metrics }: Day, postgres: string, date: string): string {
  return `\
# Capacity

\`\`\`sh
npx -y deno@2.9.6 task capacity
\`\`\`

plays a day of ${
    count(symbols)
  } symbols on a throwaway Postgres and writes this page. Last written on ${date}: ${cpus().length} virtual
cores, Postgres ${postgres}.

## What a day costs

A bar a minute for each of ${
    count(symbols)
  } symbols, one in a hundred missing, in one statement a minute; the dispatch job each minute
and the maintenance job every five; 5m and 1h bars. Cost grows with the number of symbols: take it times two for twice as many.

${
    table(["work", "calls", "CPU", "of one core", "WAL", "longest call"], [
      ...(Object.entries(costs) as [Work, Cost][]).map(([work, cost]) => [NAMES[work], ...costCells(cost)]),
    ])
  }

WAL is counted with a checkpoint every five minutes, as by default, so that it holds the full pages that follow each. It is what a
replica receives and an archive keeps. The audit of history is off here: it takes up to 5 % of a core by itself
(\`schedule_jobs(p_audit_percent => ...)\`).

## What a day stores

${
    table(
      ["table", "timeframe", "bars", "heap", "key", "bytes a bar"],
      sizes.map((size) => [
        size.table_name,
        size.timeframe,
        count(size.rows),
        megabytes(size.heap_bytes),
        megabytes(size.index_bytes),
        String(Math.round((size.heap_bytes + size.index_bytes) / size.rows)),
      ]),
    )
  }

In a year that is ${
    gigabytes(365 * sizes.reduce(addBytes, 0))
  }. \`select * from agg_size(...)\` says the same of your own database, and when its disk is full;
\`metadata.agg.keep\` bounds it (see [operations.md](operations.md#size)).

## Success metrics

What the two plans ask for that pgbars implements, measured in that day:

${table(["asked for", "measured", "met"], metricRows(metrics))}
`;
}

const NAMES: Record<Work, string> = {
  ingest: "storing 1m bars, with change notes",
  dispatch: "the dispatch job",
  maintain: "the maintenance job",
};

const addBytes = (sum: number, { heap_bytes, index_bytes }: Size) => sum + heap_bytes + index_bytes;

function costCells({ calls, cpuSeconds, walBytes, longestMs }: Cost): string[] {
  const share = 100 * cpuSeconds / 86_400;
  return [
    count(calls),
    `${cpuSeconds.toFixed(0)} s`,
    `${share.toFixed(2)} %`,
    megabytes(walBytes),
    `${(longestMs / 1000).toFixed(2)} s`,
  ];
}

function metricRows(metrics: Metrics): string[][] {
  const row = (asked: string, measured: string, isMet: boolean) => [asked, measured, isMet ? "yes" : "no"];
  return [
    row(
      "a run takes less than 60 s",
      `at most ${metrics.longest_run_s.toFixed(2)} s, of ${count(metrics.runs)} runs`,
      metrics.longest_run_s < 60,
    ),
    row(
      "95 % of the bars are good or better",
      `${metrics.good_percent.toFixed(2)} %`,
      metrics.good_percent >= 95,
    ),
    row("no mandatory task fails hard in a row", `longest streak: ${metrics.streaks}`, metrics.streaks === 0),
    row(
      "every active asset has its 5m and 1h tasks",
      `without: ${metrics.assets_without_tasks}`,
      metrics.assets_without_tasks === 0,
    ),
    row(
      "no cursor lies before the start of its asset",
      `before it: ${metrics.cursors_before_start}`,
      metrics.cursors_before_start === 0,
    ),
    row(
      "no mandatory task is switched off by failures",
      `switched off: ${metrics.disabled_mandatory}`,
      metrics.disabled_mandatory === 0,
    ),
  ];
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const count = (value: number) => value.toLocaleString("en-US");
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(0)} GB`;
