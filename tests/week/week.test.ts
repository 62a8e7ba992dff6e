import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import { deliverAlerts } from "../../functions/deliver-alerts/handler.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { clearFaults, installFaults, setFault } from "../support/faults.ts";
import { type Receiver, serveReceiver, SIGNING_SECRET, verified } from "../support/receiver.ts";
import { ENGINES } from "../support/stack.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Tuesday. Thursday is a half-day of XNYS, and Friday a holiday. */
const START = "2025-07-01";
const LIMITS = { database: 20_000, message: 10_000, gap: 0, total: 20_000 };

/** How many hours an engine goes through; by default a week. */
const HOURS: Record<string, number> = { PGlite: 30 };

/** What happens, and which alerts it is to raise: each opens within `opens` minutes, and is resolved within `closes`. */
interface Trouble {
  name: string;
  from: string;
  to: string;
  begin(world: World): Promise<unknown>;
  end(world: World): Promise<unknown>;
  alerts: { alert: string; opens: number; closes: number }[];
}

interface World {
  db: Database;
  receiver: Pick<Receiver, "answer">;
}

const feed = (symbol: string, change: string) => ({ db }: World) =>
  db.query(`update public.test_feed set ${change} where canonical_symbol = $1`, [symbol]);
const jobs = (change: string) => ({ db }: World) => db.exec(`update public.test_job set ${change}`);
const fail = (symbol: string, sqlstate: string) => ({ db }: World) => setFault(db, symbol, { sqlstate });
const audit = (at: string, slices = 1) => async ({ db }: Pick<World, "db">) => {
  for (let slice = 0; slice < slices; slice++) await db.query("select agg.audit_slices(array['COIN'], $1)", [at]);
};
const repair = ({ db }: World) => clearFaults(db);

const TROUBLES: Trouble[] = [
  {
    name: "a feed dies at the open market, and comes back",
    from: "2025-07-01T10:00Z",
    to: "2025-07-01T14:00Z",
    begin: feed("COIN", "is_dead = true"),
    end: feed("COIN", "is_dead = false"),
    alerts: [{ alert: "no_data COIN 1m", opens: 25, closes: 5 }],
  },
  {
    name: "a task fails hard, and is repaired",
    from: "2025-07-02T02:00Z",
    to: "2025-07-02T03:00Z",
    begin: fail("EURUSD", "22012"),
    end: repair,
    // The hour's task has a window to build once an hour, and waits up to an hour between its tries.
    alerts: [{ alert: "hard_failed EURUSD 5m", opens: 30, closes: 65 }],
  },
  {
    name: "a lock is in the way for an hour",
    from: "2025-07-02T10:02Z",
    to: "2025-07-02T10:58Z",
    begin: fail("COIN", "55P03"),
    end: repair,
    alerts: [{ alert: "failing COIN 5m", opens: 25, closes: 10 }],
  },
  {
    name: "the receiver is away while a feed is dead",
    from: "2025-07-02T20:00Z",
    to: "2025-07-02T21:00Z",
    begin: async (world) => {
      await feed("COIN", "is_dead = true")(world);
      world.receiver.answer = ({ path }) => new Response("", { status: path === "/hook" ? 503 : 200 });
    },
    end: async (world) => {
      await feed("COIN", "is_dead = false")(world);
      world.receiver.answer = () => new Response("");
    },
    alerts: [
      { alert: "no_data COIN 1m", opens: 25, closes: 5 },
      // The target that did not hear of the alert is not told of this one.
      { alert: "undelivered * *", opens: 45, closes: 65 },
    ],
  },
  {
    name: "a bar is changed by hand; the audit finds it, and has it built again",
    from: "2025-07-03T06:00Z",
    to: "2025-07-03T07:00Z",
    begin: async ({ db }) => {
      await db.exec(`
        alter table public.derived_data_bars disable trigger user;
        update public.derived_data_bars as d set high = d.high + 1
        where d.canonical_symbol = 'COIN' and d.timeframe = '5m' and d.ts_utc = '2025-07-03 01:00+00';
        alter table public.derived_data_bars enable trigger user;
      `);
      await audit("2025-07-03 06:00+00")({ db });
    },
    end: audit("2025-07-03 07:00+00", 10),
    // The hour's bar is not what its own source, the changed bar, says.
    alerts: ["wrong COIN 5m", "wrong COIN 1h"].map((alert) => ({ alert, opens: 5, closes: 5 })),
  },
  {
    name: "nothing at all runs for an hour",
    from: "2025-07-05T05:00Z",
    to: "2025-07-05T06:00Z",
    begin: jobs("dispatcher_runs = false, maintenance_runs = false"),
    end: jobs("dispatcher_runs = true, maintenance_runs = true"),
    alerts: [],
  },
  {
    name: "the dispatcher alone stands still",
    from: "2025-07-05T10:02Z",
    to: "2025-07-05T11:02Z",
    begin: jobs("dispatcher_runs = false"),
    end: jobs("dispatcher_runs = true"),
    alerts: [
      { alert: "behind COIN 5m", opens: 25, closes: 5 },
      { alert: "behind COIN 1h", opens: 25, closes: 5 },
      { alert: "unread * *", opens: 25, closes: 5 },
    ],
  },
  {
    name: "bars arrive of a symbol that the registry does not have",
    from: "2025-07-06T12:00Z",
    to: "2025-07-06T13:00Z",
    begin: ({ db }) =>
      db.exec(`
        insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values ('NEW', '2025-07-06 11:59+00', 1, 1, 1, 1)
      `),
    end: ({ db }) =>
      db.exec(`insert into public.core_asset_registry_all (canonical_symbol, active) values ('NEW', false)`),
    alerts: [{ alert: "unregistered * *", opens: 5, closes: 5 }],
  },
  {
    name: "two minutes of five arrive, for two hours",
    from: "2025-07-06T18:00Z",
    to: "2025-07-06T20:00Z",
    begin: feed("COIN", "is_thin = true"),
    end: feed("COIN", "is_thin = false"),
    // Looked at once an hour, over a day.
    alerts: [{ alert: "poor_quality COIN 5m", opens: 125, closes: 24 * 60 }],
  },
  {
    name: "a feed dies in a session after a long weekend",
    from: "2025-07-07T15:00Z",
    to: "2025-07-07T16:00Z",
    begin: feed("STOCK", "is_dead = true"),
    end: feed("STOCK", "is_dead = false"),
    alerts: [{ alert: "no_data STOCK 1m", opens: 30, closes: 5 }],
  },
];

for (const [engine, openStack] of Object.entries(ENGINES)) {
  const hours = HOURS[engine] ?? 7 * 24;
  Deno.test(`${hours} hours: each alert opens and closes in time, arrives once, and no other does (${engine})`, async () => {
    await using stack = await openStack();
    await using receiver = serveReceiver();
    const { db, keys } = stack;
    const client = createClient(stack.url, keys.secret);
    const start = Date.parse(START);
    const end = start + hours * HOUR;
    await setUp(db, receiver.url, new Date(start));
    const troubles = TROUBLES.filter(({ to }) => Date.parse(to) < end);
    const changes = troubles
      .flatMap(({ from, to, begin, end }) => [{ at: Date.parse(from), make: begin }, { at: Date.parse(to), make: end }])
      .sort((a, b) => a.at - b.at);
    const taken: Message[] = [];
    const beats = new Set<number>();
    receiver.answer = () => new Response("");
    const world: World = { db, receiver };

    const allTimes = timesBetween(start, end, troubles);
    let times = allTimes;
    while (times.length > 0) {
      while (changes.length > 0 && changes[0]!.at <= times[0]!) await changes.shift()!.make(world);
      const until = changes[0]?.at ?? end + 1;
      const batch = times.filter((time) => time < until);
      const [row] = await db.query<{ at: Date }>("select public.test_run($1::timestamptz[]) as at", [
        batch.map((time) => new Date(time).toISOString()),
      ]);
      const now = row!.at;
      times = times.filter((time) => time > now.getTime());
      const before = receiver.received.length;
      const { delivered } = await deliverAlerts({}, client, LIMITS, now);
      const messages = receiver.received.slice(before).filter(({ path }) => path === "/hook");
      assert.ok(delivered === 0 || delivered === messages.length);
      // A signature is good for five minutes.
      if (delivered > 0) {
        taken.push(
          ...messages.map((message) => ({ id: message.headers["webhook-id"]!, at: now, ...verified(message) })),
        );
      }
      if (receiver.received.slice(before).some(({ path }) => path === "/ping")) beats.add(now.getTime());
    }

    await checkAlerts(db, troubles);
    await checkMessages(db, taken);
    assert.deepEqual(await db.query("select * from public.agg_verify()"), []);
    if (hours > 120) checkHeartbeats(allTimes, beats);
  });
}

async function setUp(db: Database, url: string, start: Date): Promise<void> {
  await db.exec("truncate public.core_asset_registry_all, public.data_agg_state");
  await db.exec(await Deno.readTextFile(new URL("week.sql", import.meta.url)));
  await installFaults(db);
  // The audit spends real time on a share of simulated time.
  await db.query("select public.schedule_jobs(p_audit_percent => 0)");
  await db.exec(`
    create schema vault;
    create table vault.decrypted_secrets (name text, decrypted_secret text);
    insert into vault.decrypted_secrets values
      ('pgbars_alert_ops_url', '${url}/hook'), ('pgbars_alert_ops_secret', '${SIGNING_SECRET}'), ('pgbars_alert_monitor_url', '${url}/ping');
    insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values
      ('COIN', true, '{"agg": {"start_utc": "2025-06-30T00:00:00Z", "max_silence": "20 minutes"}}'),
      ('EURUSD', true, '{"agg": {"start_utc": "2025-06-30T00:00:00Z", "max_silence": "20 minutes", "session": "fx", "calendar": "FX"}}'),
      ('STOCK', true, '{"agg": {"start_utc": "2025-06-20T00:00:00Z", "session": "us_equity", "calendar": "XNYS"}}');
    insert into public.test_feed (canonical_symbol, sent_to) values
      ('COIN', '2025-06-30 00:00+00'), ('EURUSD', '2025-06-30 00:00+00'), ('STOCK', '2025-06-20 00:00+00');
  `);
  await db.query("select public.test_run(array[$1::timestamptz])", [start]);
  await db.query("select public.agg_add_alert_target('ops', 'webhook', p_now => $1)", [start]);
  await db.query("select public.agg_add_alert_target('monitor', 'heartbeat', p_now => $1)", [start]);
}

/** Every five minutes while alerts are to open and to close, else once an hour. */
function timesBetween(start: number, end: number, troubles: Trouble[]): number[] {
  const spans = troubles.flatMap(({ from, to, alerts }) => {
    const longest = (minutes: number[]) => Math.max(5, ...minutes.filter((one) => one <= 65)) + 5;
    return [
      [Date.parse(from), longest(alerts.map(({ opens }) => opens))] as const,
      [Date.parse(to), longest(alerts.map(({ closes }) => closes))] as const,
    ];
  });
  const isNear = (time: number) =>
    spans.some(([at, minutes]) => time >= at - 10 * MINUTE && time <= at + minutes * MINUTE);
  const times: number[] = [];
  for (let time = start; time <= end; time += 5 * MINUTE) {
    if (time % HOUR === 0 || isNear(time)) times.push(time);
  }
  return times;
}

interface Alert {
  alert: string;
  raised_at: Date;
  resolved_at: Date | null;
}

/** The alerts of the week are those of the troubles, no more and no fewer, each in its time. */
async function checkAlerts(db: Database, troubles: Trouble[]): Promise<void> {
  const alerts = await db.query<Alert>(
    `select concat_ws(' ', a.kind, a.canonical_symbol, a.timeframe) as alert, a.raised_at, a.resolved_at
     from agg.alert as a order by a.raised_at, a.alert_id`,
  );
  const story = alerts.map(({ alert, raised_at, resolved_at }) =>
    `${alert} ${raised_at.toISOString()} ${resolved_at?.toISOString()}`
  );
  const wanted = troubles.flatMap(({ alerts }) => alerts.map(({ alert }) => alert));
  assert.deepEqual(alerts.map(({ alert }) => alert).sort(), wanted.sort(), story.join("\n"));
  for (const { name, from, to, alerts: expected } of troubles) {
    for (const { alert, opens, closes } of expected) {
      const found = alerts.find((one) => one.alert === alert && one.raised_at.getTime() >= Date.parse(from))!;
      assert.ok(found.raised_at.getTime() <= Date.parse(from) + opens * MINUTE, `${name}: ${story}`);
      assert.ok(found.resolved_at!.getTime() <= Date.parse(to) + closes * MINUTE, `${name}: ${story}`);
    }
  }
}

/** A message whose signature was right. */
interface Message {
  id: string;
  at: Date;
  type: string;
  data: { alert_id: number };
}

/** Each alert has arrived when it was opened and when it was resolved, once, in this order. */
async function checkMessages(db: Database, taken: Message[]): Promise<void> {
  const alerts = await db.query<{ id: string }>(
    // The one target cannot hear that it does not hear.
    "select a.alert_id::text as id from agg.alert as a where a.kind <> 'undelivered' order by a.alert_id",
  );
  const told = Map.groupBy(taken, ({ data }) => String(data.alert_id));
  assert.deepEqual(
    [...told].map(([id, messages]) => [id, messages.map(({ type }) => type)]).sort(([a], [b]) => Number(a) - Number(b)),
    alerts.map(({ id }) => [id, ["alert.opened", "alert.resolved"]]),
  );
  assert.equal(new Set(taken.map(({ id }) => id)).size, taken.length);
}

/** The heartbeat stops where the launcher or the dispatcher does, and while a message waits; nowhere else. */
function checkHeartbeats(times: number[], beats: Set<number>): void {
  const gaps: string[] = [];
  let from: number | undefined;
  for (const time of times) {
    if (!beats.has(time)) from ??= time;
    else if (from !== undefined) {
      gaps.push(`${new Date(from).toISOString()} to ${new Date(time).toISOString()}`);
      from = undefined;
    }
  }
  assert.equal(from, undefined);
  assert.deepEqual(gaps, [
    "2025-07-02T20:40:00.000Z to 2025-07-02T21:05:00.000Z",
    "2025-07-05T05:00:00.000Z to 2025-07-05T06:00:00.000Z",
    "2025-07-05T10:10:00.000Z to 2025-07-05T11:05:00.000Z",
  ]);
}
