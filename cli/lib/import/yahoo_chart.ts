import { NotBars } from "./columns.ts";

/** What is read of an answer of Yahoo's chart API. Nothing of it is sure to be there. */
interface Answer {
  chart?: {
    result?: {
      meta?: { symbol?: unknown; dataGranularity?: unknown };
      timestamp?: unknown[];
      indicators?: { quote?: Record<string, unknown[] | undefined>[] };
    }[] | null;
    error?: { description?: unknown } | null;
  };
}

const COLUMNS = ["open", "high", "low", "close", "volume"];

/** Whether a file that begins with these lines may be an answer of Yahoo's chart API. */
export function isChart(lines: readonly string[]): boolean {
  return /^\s*\{\s*"chart"\s*:/.test(lines.slice(0, 3).join("\n"));
}

/**
 * An answer of Yahoo's chart API as lines of CSV, the first of which names the columns. A null stays one: it is a minute
 * without a trade. Throws an Error where the answer has no bars of one minute.
 */
export function chartLines(text: string): string[] {
  let answer: Answer;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error("its JSON is cut off or damaged: fetch it again");
  }
  const { result, error } = answer.chart ?? {};
  if (error) throw new Error(`Yahoo answered ${JSON.stringify(error.description ?? error)}, and no bars`);
  if (!Array.isArray(result) || result.length === 0) throw new NotBars("it is an answer of Yahoo without bars");
  const lines = [["symbol", "timestamp", ...COLUMNS].join()];
  for (const { meta, timestamp = [], indicators } of result) {
    const length = meta?.dataGranularity;
    if (length !== "1m") {
      throw new Error(`its bars are of ${length}: pgbars takes 1m bars and makes the longer ones itself`);
    }
    const columns = COLUMNS.map((name) => indicators?.quote?.[0]?.[name] ?? []);
    for (const [index, time] of timestamp.entries()) {
      lines.push([meta?.symbol ?? "", time, ...columns.map((column) => column[index] ?? "null")].join());
    }
  }
  return lines;
}
