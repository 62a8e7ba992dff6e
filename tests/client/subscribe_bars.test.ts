import { createClient } from "@supabase/supabase-js";
import assert from "node:assert/strict";
import { type BarUpdate, createPgbars } from "../../client/mod.ts";
import { runDue } from "../support/dispatch.ts";
import { ENGINES } from "../support/stack.ts";
import { waitUntil } from "../support/wait.ts";
import { storeMinutes } from "./stored.ts";

const START = "2025-07-01T00:00:00.000Z";
const minute = (count: number) => new Date(Date.parse(START) + count * 60_000);

/** A supabase-js client whose channel gets only what a test delivers. */
function withChannel(url: string, key: string) {
  const client = createClient(url, key);
  const seen = { topic: "", isPrivate: false, hasLeft: false };
  const log: string[] = [];
  let onMessage: (message: { payload: unknown }) => void = () => {};
  let onStatus: (status: string) => void = () => {};
  const channel = {
    on: (_type: string, _filter: unknown, handler: typeof onMessage) => {
      onMessage = handler;
      return channel;
    },
    subscribe: (handler: typeof onStatus) => {
      onStatus = handler;
      return channel;
    },
  };
  const supabase = {
    schema: client.schema.bind(client),
    realtime: { setAuth: () => Promise.resolve() },
    channel: (topic: string, { config }: { config: { private: boolean } }) => {
      Object.assign(seen, { topic, isPrivate: config.private });
      log.push("join");
      return channel;
    },
    removeChannel: () => {
      seen.hasLeft = true;
      log.push("leave");
      return Promise.resolve("ok");
    },
  };
  return {
    pgbars: createPgbars(supabase as unknown as ReturnType<typeof createClient>),
    seen,
    log,
    deliver: (payload: unknown) => onMessage({ payload }),
    become: (status: string) => onStatus(status),
  };
}

Deno.test("subscribeBars() hands over bars as they are built, corrected or gone, whatever message is lost", async (test) => {
  await using stack = await ENGINES["PGlite"]!();
  const { db, url, keys } = stack;
  for (const name of ["010_schema", "040_realtime"]) {
    await db.exec(await Deno.readTextFile(new URL(`../sql/${name}.sql`, import.meta.url)));
  }
  await db.exec(`
    call tests.add_realtime();
    select public.enable_broadcast(array['5m']);
    insert into public.core_asset_registry_all (canonical_symbol, active) values ('A', true), ('B', true), ('OTHER', true)`);
  for (const symbol of ["A", "B", "OTHER"]) await storeMinutes(db, symbol, START, 15);
  await runDue(db, minute(20));

  const { pgbars, seen, deliver, become } = withChannel(url, keys.secret);
  const updates: BarUpdate[] = [];
  const [errors, states]: [unknown[], string[]] = [[], []];
  const subscription = pgbars.subscribeBars({
    symbols: ["A", "B"],
    timeframe: "5m",
    last: 2,
    pollSeconds: 3600,
    onBars: (update) => updates.push(update),
    onError: (error) => errors.push(error),
    onState: (state) => states.push(state),
  });
  /** What came since the last call. */
  const came = () => {
    const label = ({ canonical_symbol, ts_utc }: { canonical_symbol: string; ts_utc: Date }) =>
      `${canonical_symbol} ${(ts_utc.getTime() - Date.parse(START)) / 60_000}`;
    return updates.splice(0).map(({ bars, gone, source }) =>
      [source, ...bars.map((bar) => `${label(bar)}=${bar.close}`), ...gone.map((bar) => `${label(bar)} gone`)].join(" ")
    );
  };
  /** The messages that the database has sent since the last call. */
  const had = new Set<string>();
  const messages = async () => {
    await db.query("select agg.send_broadcasts()");
    const rows = await db.query<{ id: string; payload: Record<string, unknown> }>(
      "select m.id::text, m.payload from realtime.messages as m order by m.payload -> 'revision'",
    );
    return rows.filter(({ id }) => !had.has(id) && had.add(id)).map(({ payload }) => payload);
  };
  const change = async (symbol: string, at: number, close: number) => {
    await db.query("update public.data_bars set close = $1, high = 1000 where canonical_symbol = $2 and ts_utc = $3", [
      close,
      symbol,
      minute(at),
    ]);
    await runDue(db, minute(21));
  };
  const isPolled = () => waitUntil(() => Promise.resolve(updates.length > 0));

  await test.step("first the latest bars", async () => {
    await isPolled();
    assert.deepEqual(came(), ["poll A 5=10.1 A 10=15.1 B 5=10.1 B 10=15.1"]);
    assert.deepEqual(seen, { topic: "bars:5m", isPrivate: true, hasLeft: false });
    become("SUBSCRIBED");
    await waitUntil(() => Promise.resolve(states.includes("live")));
  });

  await test.step("what a message repeats is not handed over again, and other symbols are left out", async () => {
    for (const message of await messages()) deliver(message);
    assert.deepEqual(came().filter((update) => update.startsWith("broadcast")), ["broadcast A 0=5.1 B 0=5.1"]);
  });

  await test.step("a corrected bar, with the fields that getBars() gives", async () => {
    await change("A", 9, 50);
    const [message] = await messages();
    deliver(message);
    const [update] = updates;
    assert.deepEqual(
      update?.bars,
      await pgbars.getBars({ symbols: ["A"], timeframe: "5m", from: minute(5), to: minute(6) }),
    );
    assert.deepEqual(came(), ["broadcast A 5=50"]);
    deliver(message);
    assert.deepEqual(came(), []);
  });

  await test.step("an older message that comes later changes nothing", async () => {
    await change("B", 9, 60);
    const [older] = await messages();
    await change("B", 9, 61);
    const [newer] = await messages();
    deliver(newer);
    await isPolled();
    deliver(older);
    assert.deepEqual(came(), ["broadcast B 5=61"]);
  });

  await test.step("after a lost message, bars are read", async () => {
    await change("A", 4, 70);
    await messages();
    await change("B", 14, 71);
    const [message] = await messages();
    deliver(message);
    await waitUntil(() => Promise.resolve(updates.length === 2));
    assert.deepEqual(came(), ["broadcast B 10=71", "poll A 0=70"]);
  });

  await test.step("a bar that is gone", async () => {
    await db.query("delete from public.data_bars where canonical_symbol = 'A' and ts_utc < $1", [minute(5)]);
    await runDue(db, minute(22));
    for (const message of await messages()) deliver(message);
    assert.deepEqual(came(), ["broadcast A 0 gone"]);
  });

  await test.step("what is too much for messages is read", async () => {
    await storeMinutes(db, "A", START, 5);
    await runDue(db, minute(23));
    await db.query("select agg.send_broadcasts(0)");
    for (const message of await messages()) deliver(message);
    await isPolled();
    assert.deepEqual(came(), ["poll A 0=5.1"]);
  });

  await test.step("after a broken connection, bars are read", async () => {
    become("CHANNEL_ERROR");
    assert.equal(states.at(-1), "polling");
    await change("A", 14, 80);
    await messages();
    become("SUBSCRIBED");
    await isPolled();
    assert.deepEqual(came(), ["poll A 10=80"]);
  });

  await test.step("nothing after unsubscribe()", async () => {
    await subscription.unsubscribe();
    await change("A", 14, 81);
    for (const message of await messages()) deliver(message);
    assert.deepEqual(came(), []);
    assert.ok(seen.hasLeft);
    assert.deepEqual(errors, []);
  });

  await test.step("subscriptions of one client share a channel, which is left with the last of them and joined anew", async () => {
    const { pgbars, seen, deliver, become, log } = withChannel(url, keys.secret);
    const states: string[] = [];
    const came: string[] = [];
    const open = (name: string) =>
      pgbars.subscribeBars({
        symbols: ["A"],
        timeframe: "5m",
        pollSeconds: 3600,
        onBars: ({ source }) => source === "broadcast" && came.push(name),
        onState: (state) => states.push(`${name} ${state}`),
      });
    const message = (revision: number) => ({
      timeframe: "5m",
      revision,
      columns: ["canonical_symbol", "ts_utc", "close", "updated_at"],
      bars: [["A", minute(500).toISOString(), revision, new Date().toISOString()]],
    });
    const first = open("first");
    await waitUntil(() => Promise.resolve(seen.topic === "bars:5m"));
    become("SUBSCRIBED");
    const second = open("second");
    assert.deepEqual(states, ["first live", "second live"]);
    await first.unsubscribe();
    assert.deepEqual(log, ["join"], "the other one is still there");
    deliver(message(1));
    assert.deepEqual(came, ["second"]);
    const third = open("third");
    await second.unsubscribe();
    await third.unsubscribe();
    assert.deepEqual(log, ["join", "leave"]);
    const fourth = open("fourth");
    await waitUntil(() => Promise.resolve(log.length === 3));
    become("SUBSCRIBED");
    assert.deepEqual(states.slice(2), ["third live", "fourth live"]);
    deliver(message(2));
    assert.deepEqual(came, ["second", "fourth"]);
    await fourth.unsubscribe();
  });

  await test.step("without Realtime it polls; what goes wrong goes to onError", async () => {
    const supabase = createClient(url, keys.secret);
    const polling = createPgbars({ schema: supabase.schema.bind(supabase) }).subscribeBars({
      symbols: ["B"],
      timeframe: "5m",
      pollSeconds: 1,
      onBars: (update) => {
        updates.push(update);
        throw new Error("mine");
      },
      onError: (error) => errors.push(error),
      onState: (state) => states.push(state),
    });
    await isPolled();
    await change("B", 14, 90);
    const has90 = () => updates.some(({ bars }) => bars.some(({ close }) => close === 90));
    await waitUntil(() => Promise.resolve(has90()));
    await polling.unsubscribe();
    assert.equal(came()[0], "poll B 10=71");
    assert.deepEqual(new Set(errors.map((error) => (error as Error).message)), new Set(["mine"]));
    assert.equal(states.at(-1), "polling");
  });

  await test.step("arguments that make no sense", () => {
    const subscribe = (options: Record<string, unknown>) => () =>
      pgbars.subscribeBars({ symbols: ["A"], timeframe: "5m", onBars: () => {}, ...options });
    assert.throws(subscribe({ timeframe: "1m" }), /subscribeBars: timeframe must be longer than 1m/);
    assert.throws(subscribe({ symbols: "A" }), TypeError);
    assert.throws(subscribe({ pollSeconds: 0 }), RangeError);
    assert.throws(subscribe({ last: 0 }), RangeError);
    assert.throws(subscribe({ onBars: undefined }), TypeError);
  });
});
