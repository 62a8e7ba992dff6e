import type { Database } from "../lib/database.ts";
import { loadMarket, minute, settle } from "./market.ts";
import { type Measurement, median, time } from "./measure.ts";

const SYMBOLS = 1000;
const DAYS = 10;
/** Minutes between two calls, and what 5 % of them are. */
const STEP = 1;
const BUDGET_MS = 0.05 * STEP * 60_000;

/** The audit of agg_maintain over 1,000 symbols: a round, against building the same bars, and the time of its calls. */
export async function measureAudit(db: Database, scale: number): Promise<Measurement[]> {
  const symbols = Math.ceil(SYMBOLS / scale);
  const end = DAYS * 1440 + 10;
  await loadMarket(db, { symbols, minutes: DAYS * 1440, arrival: "history" });
  await settle(db);
  const building = await time(() =>
    db.query("select public.agg_run_due(p_now => $1, p_time_budget => '10 minutes')", [minute(end)])
  );
  await settle(db);

  const calls: number[] = [];
  const open = "select count(*)::integer as assets from agg.audit as a where a.verified_since is null";
  do {
    const now = minute(end + calls.length * STEP);
    calls.push(await time(() => db.query("select agg.audit_history('prod', $1)", [now])));
  } while ((await db.query<{ assets: number }>(open))[0]!.assets > 0 && calls.length < 100);
  const [found] = await db.query<{ rows: number }>("select count(*)::integer as rows from agg.correction");
  if (found!.rows > 0) throw new Error("the audit found wrong bars");
  // The first call may take what five minutes give, and the last one ends with the round.
  const full = calls.slice(1, -1);
  const round = calls.reduce((sum, call) => sum + call, 0);
  return [
    {
      work: `verifying ${DAYS} days of ${symbols} symbols`,
      pgbars: round,
      against: { name: "building them", milliseconds: building },
      budget: { text: "at most 3.5x its time", met: round <= 3.5 * building },
    },
    {
      work: `a call of the audit at 5 %, a minute after the last, ${symbols} symbols`,
      pgbars: full.length > 0 ? median(full) : calls[0]!,
      budget: {
        text: "at most 3.5 s",
        met: full.every((call) => call <= BUDGET_MS + 500) && calls[0]! <= 5 * BUDGET_MS + 500,
      },
    },
  ];
}
