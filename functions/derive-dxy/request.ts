import { z } from "zod";
import { instantSchema, parse, symbolSchema } from "../_shared/validation.ts";
import { isWebhook, readWebhookRows } from "../_shared/webhook.ts";

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

/** The longest range that one call derives, in milliseconds. */
export const MAX_RANGE = 31 * DAY;

/** The series that is derived by default. */
export const DEFAULT_SYMBOL = "DXY";

/** Half-open, in UTC. */
export interface Range {
  from: Date;
  to: Date;
}

/** What a body asks for. Where `version` is undefined, it is the series' own. */
export type DeriveRequest =
  | { kind: "range"; symbol: string; version: number | undefined; range: Range }
  | { kind: "bars"; bars: { symbol: string; minute: Range }[] }
  | { kind: "catch_up" };

const rangeSchema = z
  .strictObject({
    from: instantSchema,
    to: instantSchema,
    symbol: symbolSchema.default(DEFAULT_SYMBOL),
    version: z.union([z.literal(1), z.literal(2)]).optional(),
  })
  .refine(({ from, to }) => from < to, { path: ["to"], message: "must be after from" })
  .refine(({ from, to }) => to.getTime() - from.getTime() <= MAX_RANGE, {
    path: ["to"],
    message: "must be at most 31 days after from",
  });

const barSchema = z.object({ canonical_symbol: z.string(), timeframe: z.literal("1m"), ts_utc: instantSchema });

/** Reads a body. Throws a Refusal: 409 for a webhook payload of a table other than data_bars, 422 for a malformed body. */
export function readRequest(body: unknown): DeriveRequest {
  if (isWebhook(body)) {
    const rows = readWebhookRows(body, "data_bars", barSchema);
    return { kind: "bars", bars: rows.map((row) => ({ symbol: row.canonical_symbol, minute: minuteOf(row.ts_utc) })) };
  }
  if (isEmptyObject(body)) return { kind: "catch_up" };
  const { from, to, symbol, version } = parse(rangeSchema, body);
  return { kind: "range", symbol, version, range: { from, to } };
}

function minuteOf(instant: Date): Range {
  const from = Math.floor(instant.getTime() / MINUTE) * MINUTE;
  return { from: new Date(from), to: new Date(from + MINUTE) };
}

function isEmptyObject(body: unknown): boolean {
  return typeof body === "object" && body !== null && !Array.isArray(body) && Object.keys(body).length === 0;
}
