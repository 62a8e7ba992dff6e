import { z } from "zod";
import { Refusal } from "./refusal.ts";
import { parse } from "./validation.ts";

const envelopeSchema = z.object({
  type: z.enum(["INSERT", "UPDATE", "DELETE"]),
  schema: z.string(),
  table: z.string(),
});

/** Whether a body has the fields of a payload of a Supabase database webhook. */
export function isWebhook(body: unknown): boolean {
  return typeof body === "object" && body !== null && ("type" in body || "table" in body);
}

/**
 * The rows of a webhook payload for `public.<table>`: the new row, then the old one, where they are present. Throws a
 * {@link Refusal}: 409 for a payload of another table, 422 for a malformed one.
 */
export function readWebhookRows<Row>(body: unknown, table: string, row: z.ZodType<Row>): Row[] {
  const envelope = parse(envelopeSchema, body);
  if (envelope.schema !== "public" || envelope.table !== table) {
    throw new Refusal(409, "wrong_table", `This function takes changes of public.${table} only.`);
  }
  const { record, old_record } = parse(payloadSchema(envelope.type, row), body);
  return [record, old_record].filter((found) => found !== null);
}

function payloadSchema<Row>(type: "INSERT" | "UPDATE" | "DELETE", row: z.ZodType<Row>) {
  return z.object({
    record: type === "DELETE" ? z.null() : row,
    old_record: type === "INSERT" ? z.null() : row,
  });
}
