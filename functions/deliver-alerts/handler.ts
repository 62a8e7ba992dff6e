import { z } from "zod";
import { type Database, unwrap } from "../_shared/database.ts";
import { parse } from "../_shared/validation.ts";
import { type DeliveryLimits, messageSchema, type Outcome, sendAll } from "./send.ts";

const answerSchema = z.object({
  delivered: z.number().int(),
  failed: z.number().int(),
  stopped: z.array(z.string()),
});

/** Messages counted by what became of them, heartbeats not among them, and the targets that are gone. */
export type DeliverAnswer = z.output<typeof answerSchema>;

/** All of it stays below the minute that the database waits, and below the three that a message is claimed for. */
const LIMITS: DeliveryLimits = { database: 5000, message: 8000, gap: 1000, total: 40_000 };

/** How many messages of a target are claimed at once. Those are sent again of which the database is not told. */
const CLAIMED_AT_ONCE = 20;

/**
 * Sends the messages that the database has ready, until none is left or the time is over, and tells the database what
 * became of each. Takes `{}`. `now` is the clock of the database; by default its own. Throws a Refusal: 422 for any other
 * body, 503 when the database is away or takes longer than `limits`.
 */
export async function deliverAlerts(
  body: unknown,
  database: Database,
  limits: DeliveryLimits = LIMITS,
  now?: Date,
): Promise<DeliverAnswer> {
  parse(z.strictObject({}), body);
  const clock = now && { p_now: now.toISOString() };
  const call = async (name: string, args: Record<string, unknown>): Promise<unknown> =>
    unwrap(await database.rpc(name, { ...args, ...clock }).abortSignal(AbortSignal.timeout(limits.database)));

  const until = Date.now() + limits.total;
  const sum: DeliverAnswer = { delivered: 0, failed: 0, stopped: [] };
  do {
    const claimed = await call("agg_claim_deliveries", { p_limit: CLAIMED_AT_ONCE });
    const messages = Map.groupBy(z.array(messageSchema).parse(claimed), ({ target }) => target);
    if (messages.size === 0) return sum;
    const outcomes: Outcome[][] = await Promise.all([...messages.values()].map((all) => sendAll(all, limits, until)));
    const counts = answerSchema.parse(await call("agg_finish_deliveries", { p_results: outcomes.flat() }));
    sum.delivered += counts.delivered;
    sum.failed += counts.failed;
    sum.stopped.push(...counts.stopped);
  } while (Date.now() < until);
  return sum;
}
