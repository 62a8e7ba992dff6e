import { z } from "zod";
import { MINUTE } from "./bar.ts";
import type { CsvColumn } from "./csv_header.ts";
import { readInstant } from "./instant.ts";

/** The fields of one CSV row, by column name; an optional column that the file lacks is an empty field. */
export type RowFields = Record<CsvColumn, string>;

const prices = "every bar needs open, high, low and close";

function refuse(ctx: z.core.$RefinementCtx, reason: string, message: string): never {
  ctx.addIssue({ code: "custom", message, params: { reason } });
  return z.NEVER;
}

function toNumber(name: string, text: string, ctx: z.core.$RefinementCtx): number {
  if (/^[+-]?(nan|inf(inity)?)$/i.test(text)) {
    return refuse(ctx, "not finite", `${name} is ${text}: give a finite number, or leave the row out`);
  }
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    return refuse(ctx, "not a number", `${name} ${JSON.stringify(text)} is not a number: write it as 1234.5`);
  }
  const value = Number(text);
  if (!Number.isFinite(value)) return refuse(ctx, "not finite", `${name} ${text} is too large for a number`);
  return value;
}

const price = (name: string) =>
  z.string().transform((text, ctx) =>
    text === "" ? refuse(ctx, "missing field", `${name} is empty: ${prices}`) : toNumber(name, text, ctx)
  );

const activity = (name: string, check?: (value: number, ctx: z.core.$RefinementCtx) => number) =>
  z.string().transform((text, ctx) => {
    if (text === "") return null;
    const value = toNumber(name, text, ctx);
    return check === undefined || value === z.NEVER ? value : check(value, ctx);
  });

const vol = activity(
  "vol",
  (value, ctx) =>
    value < 0 ? refuse(ctx, "negative volume", `vol ${value} is negative: leave it empty where it is unknown`) : value,
);

const tradeCount = activity("trade_count", (value, ctx) => {
  if (value < 0) return refuse(ctx, "negative trade count", `trade_count ${value} is negative`);
  if (Number.isSafeInteger(value)) return value;
  return refuse(ctx, "not a number", `trade_count ${value} is not a whole number`);
});

const minute = z.string().transform((text, ctx) => {
  const example = "write it as 2025-01-31T09:59:00Z";
  if (text === "") return refuse(ctx, "missing field", `ts_utc is empty: ${example}`);
  const instant = readInstant(text);
  if (instant === "without zone") {
    return refuse(ctx, "time without zone", `ts_utc ${text} has no time zone: ${example}`);
  }
  if (instant === undefined) {
    return refuse(ctx, "unreadable time", `ts_utc ${JSON.stringify(text)} is not a time: ${example}`);
  }
  const { milliseconds: ts, microseconds } = instant;
  if (ts % MINUTE !== 0 || microseconds !== 0) {
    return refuse(ctx, "misaligned time", `ts_utc ${text} is not the start of a minute: ${example}`);
  }
  if (ts > Date.now()) return refuse(ctx, "time in the future", `ts_utc ${text} is in the future: check the year`);
  return ts;
});

/** Checks one row. Each issue carries a sentence for people and, in `params.reason`, a word to count it under. */
export const barRow = z.object({
  canonical_symbol: z.string().trim().min(1, {
    error: "canonical_symbol is empty: every bar needs its symbol",
  }),
  ts_utc: minute,
  open: price("open"),
  high: price("high"),
  low: price("low"),
  close: price("close"),
  vol,
  vwap: activity("vwap"),
  trade_count: tradeCount,
}).superRefine((row, ctx) => {
  const top = row.open > row.close ? "open" : "close";
  const bottom = row.open < row.close ? "open" : "close";
  const wrong = ([upper, lower]: [keyof typeof row, keyof typeof row], text: string) => {
    const [a, b] = [Number(row[upper]), Number(row[lower])];
    // What is left of two prices that were equal before an adjustment.
    if (b - a <= 1e-9 * Math.max(Math.abs(a), Math.abs(b))) {
      return refuse(ctx, "rounding", `${text} by rounding alone: round the prices to the decimals of the market`);
    }
    return refuse(ctx, "prices contradict each other", `${text}: check the column order`);
  };
  if (row.high < row.low) wrong(["high", "low"], `high ${row.high} is below low ${row.low}`);
  else if (row.high < row[top]) wrong(["high", top], `high ${row.high} is below ${top} ${row[top]}`);
  else if (row.low > row[bottom]) wrong([bottom, "low"], `low ${row.low} is above ${bottom} ${row[bottom]}`);
});

/** The word under which an issue of {@link barRow} is counted. */
export function reasonOf(issue: z.core.$ZodIssue): string {
  return issue.code === "custom" ? String(issue.params?.["reason"]) : "missing field";
}
