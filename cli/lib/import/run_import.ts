import { stat } from "node:fs/promises";
import { startProgress } from "../progress.ts";
import { type Bar, formatMinute } from "./bar.ts";
import { BarList } from "./bar_list.ts";
import type { Layout, ReadOptions } from "./layout.ts";
import { Problems } from "./problems.ts";
import { readBars, type RefusedRow } from "./read_bars.ts";
import type { RefusedReport } from "./refused_report.ts";
import type { Store } from "./store.ts";
import { add, nothingStored } from "./upsert.ts";

/** The bars of a symbol in the files. */
export interface SymbolSummary {
  symbol: string;
  bars: number;
  first: string;
  last: string;
}

/** What an import did, or would do. */
export interface ImportResult {
  files: {
    file: string;
    format: string;
    symbol: string | null;
    zone: string;
    shift: string;
    unused: string[];
    hints: string[];
  }[];
  symbols: SymbolSummary[];
  /** Bars read; those of a refused row do not count. */
  bars: number;
  inserted: number;
  updated: number;
  unchanged: number;
  superseded: number;
  refused: { reason: string; count: number }[];
  /** Rows that are no bars and no fault. */
  skipped: { reason: string; count: number }[];
  /** Files that could not be read, or not to their end. */
  failures: string[];
  /** Symbols that the registry does not have: nothing is built from their bars. */
  unregistered: string[];
  seconds: number;
}

/** Reads files, and stores their bars unless `store` is undefined. `sample` gets the first bars. */
export async function runImport(
  files: readonly string[],
  options: ReadOptions,
  store: Store | undefined,
  { report, sample }: { report?: RefusedReport; sample?: Bar[] },
): Promise<{ result: ImportResult; problems: Problems }> {
  const start = performance.now();
  const sizes = await Promise.all(files.map(async (file) => (await stat(file).catch(() => undefined))?.size ?? 0));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const layouts: ImportResult["files"] = [];
  const symbols = new Map<string, { bars: number; first: number; last: number }>();
  const skipped = new Map<string, number>();
  const problems = new Problems();
  const stored = nothingStored();
  let bytes = 0;
  let count = 0;
  const refuse = (row: RefusedRow) => {
    problems.refuseRow(row);
    report?.add(row);
  };

  // One part is stored while the next is read.
  let storing: Promise<void> = Promise.resolve();
  const storeNext = async (bars: BarList) => {
    await storing;
    storing = storeBars(bars);
    // It is waited for later. Until then its failure must not end the program.
    storing.catch(() => {});
  };
  const storeBars = async (bars: BarList) => {
    if (store === undefined || bars.length === 0) return;
    const { refused, ...counts } = await store.store(bars);
    add(stored, { ...counts, refused: [] });
    for (const row of refused) refuse(row);
  };

  const progress = startProgress("bars");
  try {
    let waiting = new BarList();
    const parts = readBars(files, options, store?.computed ?? new Set(), {
      onLayout: (file, layout) => layouts.push(summarize(file, layout)),
      onRefused: refuse,
      onSkipped: (_file, reason) => skipped.set(reason, (skipped.get(reason) ?? 0) + 1),
      onFailure: (file, problem) => problems.fail(`${file}: ${problem}`),
      onBytes: (read) => bytes += read,
    });
    for await (const bars of parts) {
      for (const bar of bars) {
        const known = symbols.get(bar.symbol);
        if (known === undefined) symbols.set(bar.symbol, { bars: 1, first: bar.ts, last: bar.ts });
        else {
          known.bars++;
          if (bar.ts < known.first) known.first = bar.ts;
          if (bar.ts > known.last) known.last = bar.ts;
        }
        waiting.push(bar);
      }
      if (sample !== undefined && sample.length < 10) sample.push(...bars.slice(0, 10 - sample.length));
      count += bars.length;
      progress.update(total === 0 ? 1 : bytes / total, count);
      if (waiting.length < (store?.size ?? 1)) continue;
      await storeNext(waiting);
      waiting = new BarList();
    }
    await storeNext(waiting);
    await storing;
  } finally {
    progress.stop();
    report?.close();
  }
  return {
    problems,
    result: {
      files: layouts,
      symbols: [...symbols].sort(([a], [b]) => a < b ? -1 : 1).map(([symbol, { bars, first, last }]) => ({
        ...{ symbol, bars, first: formatMinute(first), last: formatMinute(last) },
      })),
      bars: count,
      ...{ inserted: stored.inserted, updated: stored.updated },
      ...{ unchanged: stored.unchanged, superseded: stored.superseded },
      refused: problems.countReasons(),
      skipped: [...skipped].map(([reason, count]) => ({ reason, count })),
      failures: problems.describeFailures(),
      unregistered: await store?.findUnregistered([...symbols.keys()]) ?? [],
      seconds: Math.round(performance.now() - start) / 1000,
    },
  };
}

function summarize(
  file: string,
  { format, symbol, zone, shift, unused, hints }: Layout,
): ImportResult["files"][number] {
  return {
    file,
    format: `${format.name} (${format.about})`,
    symbol: symbol ?? null,
    zone: zone?.name ?? "in the file",
    shift: `${shift / 60_000}m`,
    unused: [...unused],
    hints: [...hints],
  };
}
