import { join } from "node:path";
import { type Bar, formatMinute } from "../../cli/lib/import/bar.ts";
import { readColumnMap } from "../../cli/lib/import/columns.ts";
import { FORMATS } from "../../cli/lib/import/formats.ts";
import type { Layout } from "../../cli/lib/import/layout.ts";
import { readBars } from "../../cli/lib/import/read_bars.ts";
import { readZone } from "../../cli/lib/import/zone.ts";

export const GOLDEN = new URL("../fixtures/import/", import.meta.url).pathname;

/** Options as a user gives them. */
export interface Given {
  format?: string;
  symbol?: string;
  zone?: string;
  /** Minutes. */
  shift?: number;
  map?: string;
  dateOrder?: "dmy" | "mdy";
  clamp?: boolean;
}

export interface Reading {
  bars: Bar[];
  /** `line reason` of each refused row. */
  refused: string[];
  messages: string[];
  skipped: string[];
  failures: string[];
  layouts: Layout[];
}

export async function read(paths: readonly string[], given: Given = {}): Promise<Reading> {
  const reading: Reading = { bars: [], refused: [], messages: [], skipped: [], failures: [], layouts: [] };
  const options = {
    format: FORMATS.find(({ name }) => name === given.format),
    symbol: given.symbol,
    zone: given.zone === undefined ? undefined : readZone(given.zone),
    shift: given.shift === undefined ? undefined : given.shift * 60_000,
    map: given.map === undefined ? undefined : readColumnMap(given.map),
    dateOrder: given.dateOrder,
    clamp: given.clamp,
  };
  const parts = readBars(paths, options, new Set(["DXY"]), {
    onLayout: (_file, layout) => reading.layouts.push(layout),
    onRefused: ({ origin, reason, message }) => {
      reading.refused.push(`${origin.line} ${reason}`);
      reading.messages.push(message);
    },
    onSkipped: (_file, reason) => reading.skipped.push(reason),
    onFailure: (file, problem) => reading.failures.push(`${file}: ${problem}`),
  });
  for await (const bars of parts) reading.bars.push(...bars);
  return reading;
}

export function readGolden(file: string, given?: Given): Promise<Reading> {
  return read([join(GOLDEN, file)], given);
}

/** Reads files that exist for this reading alone. */
export async function readFiles(files: Record<string, string | Uint8Array>, given?: Given): Promise<Reading> {
  const folder = await Deno.makeTempDir({ prefix: "pgbars-import-" });
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(join(folder, name), bytes);
    }
    return await read(Object.keys(files).map((name) => join(folder, name)), given);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A bar as one line: symbol, time, prices, volume, vwap and trade count. */
export function line({ symbol, ts, open, high, low, close, vol, vwap, tradeCount }: Bar): string {
  return [symbol, formatMinute(ts), open, high, low, close, vol ?? "-", vwap ?? "-", tradeCount ?? "-"].join(" ");
}
