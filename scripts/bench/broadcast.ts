import type { Database } from "../lib/database.ts";
import { loadMarket, minute, settle } from "./market.ts";
import { type Measurement, median, medianRatio, time } from "./measure.ts";

const SYMBOLS = 5000;
const PAIRS_OF_TICKS = 6;

/** What a broadcast asks of Realtime, as far as it costs the database: a row of a table for each message. */
const REALTIME = `
  create schema realtime;
  create table realtime.messages (payload jsonb, event text, topic text, private boolean, extension text default 'broadcast');
  create function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
  language sql as $$ insert into realtime.messages (payload, event, topic, private) values (payload, event, topic, private) $$;
  create function realtime.topic() returns text language sql as $$ select '' $$;`;

/** Ticks of 5m bars with broadcast on and off, in turns, and the sending of what was built. */
export async function measureBroadcast(db: Database, scale: number): Promise<Measurement[]> {
  const symbols = Math.ceil(SYMBOLS / scale);
  await db.exec(REALTIME);
  await loadMarket(db, { symbols, minutes: 60 + 10 * PAIRS_OF_TICKS, arrival: "live" });
  await db.query("update public.data_agg_state set enabled = false, status = 'disabled' where timeframe <> '5m'");
  await db.query("select public.agg_run_due(p_now => $1)", [minute(55)]);
  await settle(db);
  const times: Record<"off" | "on" | "sent", number[]> = { off: [], on: [], sent: [] };
  for (let tick = 0; tick < 2 * PAIRS_OF_TICKS; tick++) {
    const isOn = tick % 2 === 1;
    await db.exec(isOn ? "select public.enable_broadcast(array['5m'])" : "select public.disable_broadcast()");
    const run = async () => {
      const [row] = await db.query<{ bars: number }>(
        "select (public.agg_run_due(p_now => $1) ->> 'bars_created')::int as bars",
        [minute(60 + 5 * tick)],
      );
      if (row!.bars !== symbols) throw new Error(`${row!.bars} bars, not ${symbols}`);
    };
    times[isOn ? "on" : "off"].push(await time(run));
    if (isOn) times.sent.push(await time(() => db.query("select agg.send_broadcasts()")));
  }
  const against = { name: "without broadcast", milliseconds: median(times.off) };
  return [
    {
      work: `tick of ${symbols} symbols that are broadcast`,
      pgbars: median(times.on),
      against,
      budget: { text: "at most 1.3x its time", met: medianRatio(times.on, times.off) <= 1.3 },
    },
    {
      work: `sending the ${symbols} bars of a tick`,
      pgbars: median(times.sent),
      against: { name: "building them", milliseconds: median(times.off) },
      budget: { text: "at most its time", met: medianRatio(times.sent, times.off) <= 1 },
    },
  ];
}
