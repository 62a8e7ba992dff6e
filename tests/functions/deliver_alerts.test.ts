import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import { Webhook } from "standardwebhooks";
import { deliverAlerts } from "../../functions/deliver-alerts/handler.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { type Received, serveReceiver, SIGNING_SECRET, verified } from "../support/receiver.ts";
import { ENGINES } from "../support/stack.ts";
import { addStandIns, storeSecrets } from "../webhooks/databases.ts";

const LIMITS = { database: 10_000, message: 10_000, gap: 0, total: 20_000 };
const OTHER_SECRET = "whsec_YW5vdGhlci1rZXktb2YtdGhlLXRlc3QtMzItYnl0ZXM=";

Deno.test("standardwebhooks signs as its specification says", () => {
  const body = `{"type":"alert.opened","data":{"kind":"no_data"}}`;
  assert.equal(
    new Webhook(SIGNING_SECRET).sign("msg_0001", new Date(1_767_363_000_000), body),
    "v1,AL0tdnQSXorOKoar6n9M5h3hmO241rZTpJqzB9z56L4=",
  );
});

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`deliver-alerts sends alerts (${engine})`, async (test) => {
    await using stack = await openStack();
    await using receiver = serveReceiver();
    const { db, keys } = stack;
    const client = createClient(stack.url, keys.secret);
    let now = new Date("2025-07-01T00:00:00Z");
    const deliver = (limits = LIMITS) => deliverAlerts({}, client, limits, now);
    const pass = (minutes: number) => now = new Date(now.getTime() + minutes * 60_000);
    using variables = new DisposableStack();
    const set = (name: string, value: string) => {
      Deno.env.set(name, value);
      variables.defer(() => Deno.env.delete(name));
    };
    const addTarget = (name: string, kind: string, severity = "warning") =>
      db.query("select public.agg_add_alert_target($1, $2, $3, $4)", [name, kind, severity, now]);
    const removeTarget = (name: string) => db.query("select public.agg_remove_alert_target($1)", [name]);
    const targets = () =>
      db.query<{ name: string; state: string; waiting: number; error: string | null }>(
        "select t.name, t.state, t.waiting, t.error from public.agg_alert_targets($1) as t",
        [now],
      );
    await db.exec("truncate public.core_asset_registry_all");

    await test.step("a target whose secrets are not there is not configured, and nothing is lost", async () => {
      await addTarget("ops", "webhook");
      await raise(db, "ACME", now);
      assert.deepEqual(await deliver(), { delivered: 0, failed: 1, stopped: [] });
      const error = "not configured: neither Vault has pgbars_alert_ops_url nor the function PGBARS_ALERT_OPS_URL";
      assert.deepEqual(await targets(), [{ name: "ops", state: "failing", waiting: 1, error }]);
      for (
        const [url, secret, problem] of [
          ["ftp://127.0.0.1/", SIGNING_SECRET, /^not configured: its URL is not an http\(s\) URL$/],
          [`${receiver.url}/hook`, "whsec_not base64!", /^not configured: its secret is not whsec_ and base64$/],
        ] as const
      ) {
        set("PGBARS_ALERT_OPS_URL", url);
        set("PGBARS_ALERT_OPS_SECRET", secret);
        await addTarget("ops", "webhook");
        await deliver();
        assert.match((await targets())[0]!.error!, problem);
      }
    });

    await test.step("an alert arrives once, signed; so does that it is resolved", async () => {
      set("PGBARS_ALERT_OPS_SECRET", SIGNING_SECRET);
      await addTarget("ops", "webhook");
      assert.deepEqual(await deliver(), { delivered: 1, failed: 0, stopped: [] });
      const [opened] = receiver.take() as [Received];
      const { type, data } = verified(opened);
      assert.deepEqual([type, data.kind, data.canonical_symbol, data.env], ["alert.opened", "no_data", "ACME", "prod"]);
      assert.match(opened.headers["webhook-id"]!, /^msg_[0-9a-f-]{36}$/);
      assert.throws(() => verified(opened, OTHER_SECRET), /No matching signature found/);
      assert.throws(() => verified({ ...opened, text: `${opened.text} ` }), /No matching signature found/);
      assert.deepEqual(await deliver(), { delivered: 0, failed: 0, stopped: [] });

      await db.query("update agg.alert set resolved_at = $1", [pass(5)]);
      await deliver();
      assert.deepEqual(receiver.take().map((one) => verified(one).type), ["alert.resolved"]);
    });

    await test.step("while a secret is replaced, both sign", async () => {
      set("PGBARS_ALERT_OPS_SECRET", `${SIGNING_SECRET} ${OTHER_SECRET}`);
      await raise(db, "ROTATED", now);
      await deliver();
      const [one] = receiver.take() as [Received];
      for (const secret of [SIGNING_SECRET, OTHER_SECRET]) assert.equal(verified(one, secret).type, "alert.opened");
    });

    await test.step("what fails is sent again with the same id, a new time and a new signature", async () => {
      await raise(db, "AGAIN", pass(5));
      receiver.answer = () => new Response("no", { status: 500 });
      assert.deepEqual(await deliver(), { delivered: 0, failed: 1, stopped: [] });
      assert.deepEqual(await deliver(), { delivered: 0, failed: 0, stopped: [] });
      receiver.answer = () => new Response(null, { status: 204 });
      await new Promise((resolve) => setTimeout(resolve, 1000));
      pass(5);
      assert.deepEqual(await deliver(), { delivered: 1, failed: 0, stopped: [] });
      const [first, second] = receiver.take() as [Received, Received];
      assert.equal(first.headers["webhook-id"], second.headers["webhook-id"]);
      assert.notEqual(first.headers["webhook-timestamp"], second.headers["webhook-timestamp"]);
      assert.notEqual(first.headers["webhook-signature"], second.headers["webhook-signature"]);
      assert.equal(first.text, second.text);
    });

    await test.step("what was sent and not taken down is sent again: at least once", async () => {
      await raise(db, "TWICE", pass(5));
      const dying = {
        rpc: (name: string, args: unknown) => {
          if (name === "agg_finish_deliveries") throw new Error("the function died");
          return client.rpc(name, args);
        },
      };
      await assert.rejects(deliverAlerts({}, dying as unknown as typeof client, LIMITS, now), /died/);
      assert.deepEqual((await deliver()).delivered, 0);
      pass(3);
      assert.deepEqual((await deliver()).delivered, 1);
      const ids = receiver.take().map(({ headers }) => headers["webhook-id"]);
      assert.deepEqual([ids.length, new Set(ids).size], [2, 1]);
    });

    await test.step("no redirect is followed, no host is waited for, and no error names the URL", async () => {
      const answers: [() => Response | Promise<Response>, string][] = [
        [() => Response.redirect(`${receiver.url}/elsewhere`, 307), "HTTP 307"],
        [() => new Promise((resolve) => setTimeout(() => resolve(new Response()), 600)), "no answer within 300 ms"],
        [() => new Response("you sent hook with a secret", { status: 400 }), "HTTP 400"],
        [() => new Response("invalid_payload", { status: 400 }), "HTTP 400 invalid_payload"],
      ];
      await raise(db, "SLOW", now);
      for (const [answer, error] of answers) {
        pass(180);
        receiver.answer = answer;
        await deliver(error.startsWith("no answer") ? { ...LIMITS, message: 300 } : LIMITS);
        assert.equal((await targets())[0]!.error, error);
      }
      assert.deepEqual(new Set(receiver.take().map(({ path }) => path)), new Set(["/hook"]));
      set("PGBARS_ALERT_OPS_URL", "http://127.0.0.1:1/secret");
      pass(180);
      const log = await printed(deliver);
      assert.equal((await targets())[0]!.error, "the host could not be reached");
      assert.equal(log, "");
      await removeTarget("ops");
    });

    await test.step("Slack gets blocks, one message after the other", async () => {
      receiver.answer = () => new Response("ok");
      set("PGBARS_ALERT_CHAT_URL", `${receiver.url}/slack`);
      await addTarget("chat", "slack");
      assert.deepEqual(await deliver({ ...LIMITS, gap: 120 }), { delivered: 4, failed: 0, stopped: [] });
      const messages = receiver.take();
      assert.deepEqual(messages.map(({ text }) => JSON.parse(text).text), [
        ...["ROTATED", "AGAIN", "TWICE", "SLOW"].map((symbol) => `Warning: no_data ${symbol} 1m`),
      ]);
      messages.slice(1).forEach(({ at }, index) => assert.ok(at - messages[index]!.at >= 115, "they come too fast"));
      assert.equal(messages[0]!.headers["webhook-signature"], undefined);
    });

    await test.step("Retry-After is kept, in seconds or as a date; the rest of the messages wait", async () => {
      for (const after of ["30", new Date(Date.now() + 30_000).toUTCString()]) {
        for (const symbol of [`A${after}`, `B${after}`]) await raise(db, symbol, pass(5));
        receiver.answer = () => new Response("slow down", { status: 429, headers: { "retry-after": after } });
        assert.deepEqual(await deliver(), { delivered: 0, failed: 1, stopped: [] });
        assert.equal(receiver.take().length, 1);
        const [{ wait }] = await db.query<{ wait: number }>(
          "select extract(epoch from t.next_try_at - $1)::integer as wait from agg.alert_target as t",
          [now],
        ) as [{ wait: number }];
        assert.ok(wait >= 20 && wait <= 30, `${wait} s`);
        receiver.answer = () => new Response("ok");
        pass(1);
        assert.equal((await deliver()).delivered, 2);
        assert.equal(receiver.take().length, 2);
      }
    });

    await test.step("two calls at once send each message once", async () => {
      for (let count = 0; count < 30; count++) await raise(db, `BOTH ${count}`, now);
      pass(1);
      const counts = await Promise.all([deliver(), deliver(), deliver()]);
      assert.equal(counts.reduce((sum, { delivered }) => sum + delivered, 0), 30);
      assert.equal(new Set(receiver.received.map(({ text }) => text)).size, 30);
      assert.equal(receiver.take().length, 30);
    });

    await test.step("a message that is refused does not hold up the others", async () => {
      for (const symbol of ["BAD", "GOOD"]) await raise(db, symbol, pass(1));
      receiver.answer = ({ text }) => new Response("", { status: text.includes("BAD") ? 400 : 200 });
      assert.deepEqual(await deliver(), { delivered: 1, failed: 1, stopped: [] });
      assert.equal(receiver.take().length, 2);
    });

    for (
      const [status, word] of [[403, "action_prohibited"], [404, "channel_not_found"], [
        410,
        "channel_is_archived",
      ]] as const
    ) {
      await test.step(`${status} stops a target; another hears of it`, async () => {
        set("PGBARS_ALERT_OTHER_URL", `${receiver.url}/other`);
        await addTarget("chat", "slack");
        await addTarget("other", "slack");
        receiver.answer = () => new Response("ok");
        await db.query("select public.agg_maintain(p_now => $1)", [now]);
        await deliver();
        await raise(db, `GONE ${status}`, pass(1));
        receiver.answer = ({ path }) => path === "/slack" ? new Response(word, { status }) : new Response("ok");
        assert.deepEqual(await deliver(), { delivered: 1, failed: 1, stopped: ["chat"] });
        const [{ name, state, error }] = (await targets()) as [Awaited<ReturnType<typeof targets>>[0]];
        assert.deepEqual([name, state, error], ["chat", "stopped", `HTTP ${status} ${word}`]);
        await db.query("select public.agg_maintain(p_now => $1)", [pass(5)]);
        receiver.take();
        await deliver();
        assert.deepEqual(
          receiver.take().map(({ path, text }) => `${path} ${JSON.parse(text).text}`).filter((one) =>
            !/Resolved/.test(one)
          ),
          ["/other Warning: undelivered"],
        );
        await removeTarget("other");
      });
    }

    await test.step("with Vault the secrets are there; the heartbeat is called with no body", async () => {
      await removeTarget("chat");
      await addStandIns(db);
      await storeSecrets(db, "http://127.0.0.1/", "x");
      await db.query("select vault.create_secret($1, 'pgbars_alert_monitor_url')", [`${receiver.url}/ping`]);
      await db.query("select public.agg_add_alert_target('monitor', 'heartbeat')");
      await db.query("select public.agg_run_due()");
      await db.query("select public.agg_maintain()");
      receiver.answer = () => new Response("OK");
      receiver.take();
      const { status, body } = await stack.post("deliver-alerts", {});
      assert.deepEqual([status, body], [200, { delivered: 0, failed: 0, stopped: [] }]);
      assert.deepEqual(receiver.take().map(({ path, method, text }) => [path, method, text]), [["/ping", "GET", ""]]);
    });

    await test.step("only its own key and an empty object are taken", async () => {
      assert.equal((await stack.send("deliver-alerts", { body: "{}", headers: { apikey: keys.secret } })).status, 401);
      assert.equal((await stack.send("deliver-alerts", { method: "GET" })).status, 405);
      assert.equal((await stack.post("deliver-alerts", { url: "http://127.0.0.1/" })).status, 422);
    });
  });
}

async function raise(db: Database, symbol: string, at: Date): Promise<void> {
  await db.query(
    `insert into agg.alert (kind, canonical_symbol, timeframe, severity, message, raised_at)
     values ('no_data', $1, '1m', 'warning', 'is silent', $2)`,
    [symbol, at],
  );
}

/** Everything that is printed while `call` runs. */
async function printed(call: () => Promise<unknown>): Promise<string> {
  const lines: unknown[] = [];
  using replaced = new DisposableStack();
  for (const name of ["debug", "info", "log", "warn", "error"] as const) {
    const original = console[name];
    console[name] = (...values: unknown[]) => void lines.push(...values);
    replaced.defer(() => console[name] = original);
  }
  await call();
  return lines.join("\n");
}
