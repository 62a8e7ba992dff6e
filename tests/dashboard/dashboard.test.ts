import type { AxeResults } from "axe-core";
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { buildDashboard } from "../../scripts/dashboard/build.ts";
import { serveDashboard } from "../../scripts/dashboard/serve.ts";
import { openEmbeddedBackend } from "../../scripts/lib/stack/backend.ts";
import { KEYS } from "../../scripts/lib/stack/keys.ts";
import { openStack } from "../../scripts/lib/stack/stack.ts";
import { migratedSnapshot } from "../support/snapshot.ts";
import { keepPicture, openBrowser, visit } from "./browser.ts";
import { setStage } from "./stage.ts";

const USER = { email: "trader@example.org", password: "a-long-password" };

/** Seconds after which the page asks again. */
const REFRESH = 1;

/** How long the page has to show what is new, in milliseconds: one refresh, and the time of a busy machine. */
const ONE_REFRESH = { timeout: 1000 * REFRESH + 8000 };

Deno.test("the dashboard shows fleet, assets and health, and follows the database by itself", async (test) => {
  const backend = await openEmbeddedBackend({ snapshot: await migratedSnapshot() });
  await using started = new AsyncDisposableStack();
  started.defer(() => backend.close());
  const { db } = backend;
  await setStage(db);
  const pages = serveDashboard(buildDashboard({ checked: true }), {
    key: KEYS.publishable,
    refresh_seconds: REFRESH,
  });
  const stack = started.use(await openStack(backend, { pages }));
  await fetch(`${stack.url}/auth/v1/signup`, {
    method: "POST",
    headers: { apikey: KEYS.publishable, "content-type": "application/json" },
    body: JSON.stringify(USER),
  });
  const browser = started.use(await openBrowser());
  const { page, context, errors } = started.use(await visit(browser));
  // The steps build on each other.
  const step = async (name: string, run: () => Promise<void>) => {
    if (!await test.step(name, run)) throw new Error(`the rest is left out: ${name}`);
  };
  const tile = (symbol: string) => page.locator(".tile", { has: page.locator(".symbol", { hasText: symbol }) });

  await step("without rights it names the statements that are missing, for the role that it has", async () => {
    await page.goto(stack.url);
    const trouble = page.locator(".trouble");
    await trouble.getByText("select grant_read_access('anon');").waitFor();
    const text = await trouble.innerText();
    for (const role of ["anon", "authenticated"]) {
      assert.match(
        text,
        new RegExp(`select grant_operations_access\\('${role}'\\);\\s+select grant_read_access\\('${role}'\\);`),
      );
    }
    assert.match(text, /This key reads nothing here. You are not signed in; the role of the key is anon/);
  });

  await step("a wrong password is said", async () => {
    await page.getByRole("banner").getByRole("button", { name: "Sign in" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("E-mail").fill(USER.email);
    await dialog.getByLabel("Password").fill("wrong-password");
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await dialog.getByRole("alert").waitFor();
  });

  await step("signed in, it says that a grant is missing until it is there, and then reads by itself", async () => {
    await db.exec(
      "select public.revoke_read_access('authenticated'); select public.revoke_operations_access('authenticated');",
    );
    await signIn(page, true);
    await page.getByText(`You are signed in as ${USER.email}, whose role is authenticated.`).waitFor();
    await page.locator(".statement", { hasText: "select grant_read_access('authenticated');" }).waitFor();
    assert.equal(
      await page.locator(".statement code").innerText(),
      "select grant_operations_access('authenticated');\nselect grant_read_access('authenticated');",
    );
    await db.exec(
      "select public.grant_read_access('authenticated'); select public.grant_operations_access('authenticated');",
    );
    await tile("EURUSD").waitFor(ONE_REFRESH);
  });

  await step("the fleet has what needs attention first", async () => {
    const symbols = await page.locator(".tile .symbol").allInnerTexts();
    assert.equal(symbols[0], "STALE");
    assert.deepEqual(symbols.slice(6, 9), ["BTCUSD", "EURUSD", "SESSION"]);
    assert.match(await page.locator(".looks").innerText(), /critical\s+STALE 1m\s+no data.*silent for/s);
    assert.match(await tile("STALE").innerText(), /no data/);
    assert.match(await tile("TKR007").innerText(), /waits for data 1h/);
    assert.equal(await tile("EURUSD").locator(".cell").count(), 5);
    assert.equal(await page.title(), "(1) Fleet, pgbars");
    await keepPicture(page, "fleet");
  });

  await step("it finds assets by search, level, state and timeframe", async () => {
    const count = () => page.getByRole("heading", { level: 2 }).innerText();
    await page.keyboard.press("/");
    await page.keyboard.type("tkr 00");
    assert.equal(await count(), "10 of 105 assets");
    await page.getByRole("button", { name: "waiting" }).click();
    assert.deepEqual(await page.locator(".tile .symbol").allInnerTexts(), ["TKR007"]);
    await page.getByRole("button", { name: "waiting" }).click();
    await page.getByLabel("State").selectOption("waits for data");
    assert.deepEqual(await page.locator(".tile .symbol").allInnerTexts(), ["TKR007"]);
    await page.getByLabel("State").selectOption("any state");
    await page.getByLabel("Search symbols").fill("");
    await page.getByLabel("Timeframe").selectOption("4h");
    assert.deepEqual(await page.locator(".tile .symbol").allInnerTexts(), ["EURUSD"]);
    await page.getByLabel("Timeframe").selectOption("any timeframe");
    await page.getByLabel("Search symbols").fill("no such asset");
    await page.getByText("No asset is like that.").waitFor();
    await page.getByLabel("Search symbols").fill("");
  });

  await step("arrow keys move between assets, Enter opens one, Escape goes back", async () => {
    await page.getByLabel("Search symbols").press("ArrowDown");
    await page.locator(".symbol:focus", { hasText: "STALE" }).waitFor();
    await page.keyboard.press("ArrowRight");
    await page.locator(".symbol:focus", { hasText: "TKR007" }).waitFor();
    await page.keyboard.press("End");
    await page.locator(".symbol:focus", { hasText: "XAUUSD" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "XAUUSD" }).waitFor();
    await page.locator(".chart canvas").first().waitFor();
    await page.keyboard.press("Escape");
    await tile("EURUSD").locator(".cell", { hasText: "15m" }).click();
    await page.getByRole("heading", { name: "EURUSD" }).waitFor();
  });

  await step("an asset shows candles of any timeframe, and its tasks in words", async () => {
    await page.locator(".chart canvas").first().waitFor();
    await page.mouse.move(0, 0);
    const radio = (name: string) => page.getByRole("radio", { name, exact: true });
    assert.equal(await radio("15m").getAttribute("aria-checked"), "true");
    assert.deepEqual(await page.getByRole("radio").allInnerTexts(), ["1m", "5m", "15m", "1h", "4h", "1d"]);
    const table = page.locator("table.stacked");
    assert.match(await table.innerText(), /5m\s+up to date\s+–\s+[\d-]+ [\d:]+\s+every complete window is decided/);
    for (const [key, timeframe] of [["1", "1m"], ["4", "1h"], ["2", "5m"]] as const) {
      await page.keyboard.press(key);
      await page.locator(`.chart[aria-label^="Candles of EURUSD ${timeframe}."]`).waitFor();
      assert.equal(await radio(timeframe).getAttribute("aria-checked"), "true");
      assert.match(await page.locator(".legend").innerText(), /O\s+\d\.\d{5}\s+H/);
    }
    assert.ok(await page.evaluate<number>(COLOURS) > 8, "the chart is not blank");
  });

  await step("a corrected bar shows what it was and became, and why", async () => {
    await page.locator(".corrections button").first().click();
    const aside = page.getByRole("complementary");
    await aside.locator(".item-changed").waitFor();
    const high = await aside.locator(".versions tr", { hasText: "high" }).locator("td").allInnerTexts();
    assert.ok(Number(high[0]) < Number(high[1]), high.join(" then "));
    assert.match(await aside.innerText(), /changed minutes/);
    assert.match(await aside.innerText(), /window\s+[\d-]+ \d\d:\d\d to [\d-]+ \d\d:\d\d\s+state\s+bar/);
    assert.match(await page.locator(".legend").innerText(), /corrected/);
    await keepPicture(page, "asset");
  });

  await step("arrow keys reach a gap, which says that it is one; a click selects a bar", async () => {
    await page.locator(".chart").focus();
    const legend = page.locator(".legend");
    for (let step = 0; step < 30 && !(await legend.innerText()).includes("no bar"); step++) {
      await page.keyboard.press("ArrowLeft");
    }
    // The first and the last window of the outage have a few minutes.
    for (let step = 0; step < 3; step++) await page.keyboard.press("ArrowLeft");
    assert.match(await legend.innerText(), /no bar/);
    await page.getByText("it is a gap: none of its minutes has a bar").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("heading", { name: "No bar is selected" }).waitFor();
    const box = (await page.locator(".chart").boundingBox())!;
    await page.mouse.click(box.x + box.width * 0.5, box.y + box.height * 0.5);
    await page.locator(".why .item-window").waitFor();
    await page.keyboard.press("Escape");
    await page.mouse.move(0, 0);
  });

  await step("the bar that is forming and a correction show by themselves", async () => {
    await db.exec(`
      insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
      values ('EURUSD', date_trunc('minute', now()), 1.5, 1.5, 1.5, 1.5, 7)
    `);
    await page.locator(".legend", { hasText: "1.50000" }).locator(".forming").waitFor(ONE_REFRESH);
    const before = await page.locator(".corrections li").count();
    await db.exec(`
      update public.data_bars set close = 1.2, high = 1.2 where canonical_symbol = 'EURUSD' and ts_utc = (
        select max(b.ts_utc) from public.data_bars as b
        where b.canonical_symbol = 'EURUSD' and b.ts_utc < date_bin('5 minutes', now() - interval '60 minutes', '2000-01-01')
      );
      select public.agg_run_due();
    `);
    await page.locator(".corrections li").nth(before).waitFor(ONE_REFRESH);
  });

  await step("a bar that is broadcast shows at once", async () => {
    const [row] = await db.query<{ ts_utc: Date }>(
      "select max(ts_utc) as ts_utc from public.derived_data_bars where canonical_symbol = 'EURUSD' and timeframe = '5m' and deleted_at is null",
    );
    await using other = await visit(browser);
    await other.page.route(
      "**/config.json",
      (route) => route.fulfill({ json: { key: KEYS.publishable, refresh_seconds: 600, broadcast: true } }),
    );
    const joined = Promise.withResolvers<(payload: unknown) => void>();
    await other.page.routeWebSocket(/\/realtime\/v1\/websocket/, (socket) => {
      socket.onMessage((text) => {
        // As Realtime speaks: [join_ref, ref, topic, event, payload].
        const [joinRef, ref, topic, event] = JSON.parse(String(text));
        const send = (ref: unknown, event: string, payload: unknown) =>
          socket.send(JSON.stringify([joinRef, ref, topic, event, payload]));
        send(ref, "phx_reply", { status: "ok", response: { postgres_changes: [] } });
        if (event !== "phx_join") return;
        assert.equal(topic, "realtime:bars:5m");
        joined.resolve((payload) => send(null, "broadcast", { type: "broadcast", event: "bars", payload }));
      });
    });
    await other.page.goto(`${stack.url}/#/asset/EURUSD/5m`);
    await signIn(other.page, false);
    const chart = other.page.locator('.chart[aria-label^="Candles of EURUSD 5m."]');
    await chart.waitFor();
    const announce = await joined.promise;
    await db.exec(`
      update public.data_bars set close = 1.3, high = 1.3
      where canonical_symbol = 'EURUSD' and ts_utc = '${row!.ts_utc.toISOString()}'::timestamptz + interval '4 minutes';
      select public.agg_run_due();
    `);
    const columns = ["canonical_symbol", "ts_utc", "close", "updated_at"];
    const values = ["EURUSD", row!.ts_utc.toISOString(), 1.3, new Date().toISOString()];
    announce({ timeframe: "5m", revision: 1, columns, bars: [values] });
    await other.page.locator(".corrections li", { hasText: formatClock(row!.ts_utc) }).first().waitFor({
      timeout: 8000,
    });
    assert.deepEqual(other.errors, []);
  });

  await step("older bars are read when the user comes near the first", async () => {
    await page.keyboard.press("1");
    await page.locator('.chart[aria-label^="Candles of EURUSD 1m."]').focus();
    await page.keyboard.press("Home");
    const first = await page.locator(".legend .time").innerText();
    for (let more = 0; more < 100 && await page.locator(".legend .time").innerText() >= first; more++) {
      await page.keyboard.press("Home");
    }
    assert.ok(await page.locator(".legend .time").innerText() < first);
  });

  await step("a mandatory task that fails shows within one refresh, and its alert opens and closes", async () => {
    await page.keyboard.press("f");
    await tile("BTCUSD").waitFor();
    await db.exec(`
      do $$
      begin
        for v_try in 1..3 loop
          perform public.agg_start('BTCUSD', '5m');
          perform public.agg_finish('BTCUSD', '5m', false, p_fail_kind => 'hard', p_error => 'the disk is full');
        end loop;
      end;
      $$;
    `);
    const look = page.locator(".look", { hasText: "BTCUSD 5m" });
    await look.waitFor(ONE_REFRESH);
    assert.match(await look.innerText(), /critical\s+BTCUSD 5m\s+failed hard.*the disk is full/s);
    await tile("BTCUSD").locator(".cell.a3", { hasText: "5m" }).waitFor();

    await page.keyboard.press("h");
    await page.locator(".banner").waitFor();
    await db.exec("select public.agg_maintain()");
    const alert = page.locator(".look", { hasText: "BTCUSD 5m" });
    await alert.waitFor(ONE_REFRESH);
    assert.match(await alert.innerText(), /critical\s+BTCUSD 5m\s+hard failed/);
    assert.equal(await page.locator(".banner b").innerText(), "FAIL");
    assert.match(await page.getByRole("region", { name: "Table of runs" }).innerText(), /idle/);
    await keepPicture(page, "health");
    await db.exec(`
      do $$
      begin
        perform public.agg_start('BTCUSD', '5m');
        perform public.agg_finish('BTCUSD', '5m', true);
      end;
      $$;
      select public.agg_maintain();
    `);
    await alert.waitFor({ state: "detached", ...ONE_REFRESH });
    await page.getByLabel("show those of the last 90 days").check();
    await page.locator(".look", { hasText: "resolved" }).first().waitFor();
  });

  await step("it says that the database is away, keeps the last picture with its time, and comes back", async () => {
    await page.keyboard.press("f");
    await tile("EURUSD").waitFor();
    await page.route("**/rest/v1/**", (route) => route.abort());
    const away = page.getByText("The database is away.");
    await away.waitFor(ONE_REFRESH);
    assert.match(
      await page.locator(".trouble").innerText(),
      /The database is away. What is shown is of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(UTC\)/,
    );
    assert.ok(await tile("EURUSD").isVisible());
    assert.match(await page.locator(".live").innerText(), /away/);
    await page.unroute("**/rest/v1/**");
    await away.waitFor({ state: "detached", ...ONE_REFRESH });
    // A gateway that has lost its database answers, but not for it.
    await page.route(
      "**/rest/v1/**",
      (route) => route.fulfill({ status: 503, json: { code: "PGRST002", message: "x" } }),
    );
    await away.waitFor(ONE_REFRESH);
    await page.unroute("**/rest/v1/**");
  });

  await step("a role that may read bars, but no states, sees the chart and what is missing", async () => {
    await db.exec("select public.revoke_operations_access('authenticated')");
    await page.goto(`${stack.url}/#/asset/EURUSD/1h`);
    await page.locator(".chart canvas").first().waitFor();
    await page.locator(".statement code", { hasText: "select grant_operations_access('authenticated');" }).waitFor();
    assert.deepEqual(await page.getByRole("radio").allInnerTexts(), ["1m", "5m", "1h"]);
    await db.exec(
      "select public.revoke_read_access('authenticated'); select public.grant_operations_access('authenticated')",
    );
    await page.goto(`${stack.url}/#/asset/EURUSD/5m`);
    await page.locator(".chart-side .statement code", { hasText: "select grant_read_access('authenticated');" })
      .waitFor();
    await db.exec("select public.grant_read_access('authenticated')");
    await page.locator(".chart canvas").first().waitFor(ONE_REFRESH);
  });

  await step("axe finds nothing serious, and nothing is wider than a phone, in light and dark", async () => {
    const axe = await Deno.readTextFile("node_modules/axe-core/axe.min.js");
    const storageState = await context.storageState();
    for (const scheme of ["light", "dark"] as const) {
      for (const [device, width, height] of [["desktop", 1440, 900], ["phone", 390, 844]] as const) {
        await using other = await visit(browser, { viewport: { width, height }, colorScheme: scheme, storageState });
        for (
          const [view, ready] of [["", ".tile"], ["asset/SESSION/15m", ".chart canvas"], ["health", ".banner"]] as const
        ) {
          await other.page.goto(`${stack.url}/#/${view}`);
          await other.page.locator(ready).first().waitFor();
          if (view.startsWith("asset")) {
            await other.page.getByRole("button", { name: "Why is the latest as it is?" }).click();
            await other.page.locator(".why .item-window").waitFor();
          }
          const name = `${view.split("/")[0] || "fleet"}-${device}-${scheme}`;
          await keepPicture(other.page, name);
          const wide = await other.page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
          assert.ok(wide <= 0, `${name} is ${wide} pixels too wide`);
          if (device === "phone") assert.deepEqual(await findSerious(other.page, axe), [], name);
          if (device === "phone" && view.startsWith("asset")) {
            // Whatever the latest bar is.
            for (const way of ["up", "down"]) {
              await other.page.evaluate(`document.querySelector(".legend").className = "legend ${way}"`);
              assert.deepEqual(await findSerious(other.page, axe), [], `${name} ${way}`);
            }
          }
        }
        assert.deepEqual(other.errors, []);
      }
    }
  });

  await step(
    "in local time the night on which a clock is set back has each bar once, under its local time",
    async () => {
      const storageState = await context.storageState();
      await using other = await visit(browser, { timezoneId: "America/New_York", storageState });
      await other.page.route("**/rpc/get_bars*", (route) => {
        const { p_from, p_to } = route.request().postDataJSON();
        const bars = Array.from({ length: 4 }, (_, hour) => ({
          canonical_symbol: "EURUSD",
          timeframe: "1h",
          ts_utc: new Date(Date.UTC(2026, 10, 1, 4 + hour)).toISOString(),
          ...{ open: 1, high: 2, low: 0.5, close: 1.5, vol: 1, vwap: null, trade_count: null, quality_score: 2 },
          ...{ covered_minutes: 60, expected_minutes: 60, is_partial: false, is_filled: false, is_forming: false },
          updated_at: "2026-11-01T10:00:00Z",
        })).filter(({ ts_utc }) => (!p_from || ts_utc >= p_from) && (!p_to || ts_utc < p_to));
        // A page is followed by an empty one.
        return route.fulfill({ json: route.request().postDataJSON().p_after ? [] : bars });
      });
      await other.page.goto(`${stack.url}/#/asset/EURUSD/1h`);
      await other.page.locator(".chart").focus();
      await other.page.getByRole("button", { name: "Times in UTC" }).click();
      await other.page.locator(".chart").focus();
      const times = [];
      for (const key of ["Home", "ArrowRight", "ArrowRight", "ArrowRight"]) {
        await other.page.keyboard.press(key);
        times.push(await other.page.locator(".legend .time").innerText());
      }
      assert.deepEqual(times.map((time) => time.slice(11)), ["00:00", "01:00", "01:00", "02:00"]);
      assert.match(await other.page.locator(".zone").innerText(), /America\/New_York/);
      assert.deepEqual(other.errors, []);
    },
  );

  await step("2,000 assets of seven timeframes render what is in sight", async () => {
    const timeframes = ["5m", "15m", "30m", "1h", "4h", "1d", "1w"];
    const assets = Array.from({ length: 2000 }, (_, place) => [
      `S${String(place).padStart(4, "0")}`,
      place < 20 ? 3 : 0,
      timeframes.map((
        _,
        index,
      ) => [place < 20 && index === 0 ? "failing" : "current", place < 20 ? 600 : 0, place < 20 ? 3 : 0]),
    ]);
    const fleet = { now: new Date(), paused: null, timeframes, states: { failing: "failing", current: "up to date" } };
    await page.route(
      "**/rpc/agg_fleet",
      (route) => route.fulfill({ json: { ...fleet, tasks: [13_980, 0, 0, 20], assets, look: [], looks: 0 } }),
    );
    await page.goto(`${stack.url}/#/`);
    await page.locator("h2", { hasText: "2000 assets" }).waitFor();
    assert.ok(await page.locator(".tile").count() < 300);
    await page.locator(".tile .symbol").first().focus();
    await page.keyboard.press("End");
    await page.locator(".symbol:focus", { hasText: "S1999" }).waitFor();
    assert.ok(await page.locator(".tile").count() < 300);
    const median = await page.evaluate<number>(SCROLL);
    assert.ok(median < 200, `half of the frames took more than ${median} ms`);
    await page.unroute("**/rpc/agg_fleet");
  });

  await step("without config.json it asks for the project, and refuses a secret key", async () => {
    await using other = await visit(browser);
    await other.page.route("**/config.json", (route) => route.fulfill({ status: 404 }));
    await other.page.goto(stack.url);
    await other.page.getByLabel("URL of the project").fill(stack.url);
    const key = other.page.getByLabel("Publishable key");
    await key.fill(KEYS.secret);
    await other.page.getByRole("button", { name: "Connect" }).click();
    await other.page.getByText("This is a secret key").waitFor();
    await key.fill(KEYS.publishable);
    await other.page.getByRole("button", { name: "Connect" }).click();
    await other.page.getByText("This key reads nothing here.").waitFor();
    await other.page.reload();
    await other.page.getByText("This key reads nothing here.").waitFor();
    await other.page.keyboard.press("?");
    await other.page.getByRole("button", { name: "Change" }).click();
    await other.page.getByLabel("URL of the project").waitFor();
    assert.deepEqual(other.errors, []);
  });

  assert.deepEqual(errors, []);
});

function formatClock(ts: Date): string {
  return ts.toISOString().slice(11, 16);
}

/** Signs in, in a dialog that may be open. */
async function signIn(page: Page, isOpen: boolean): Promise<void> {
  if (!isOpen) await page.getByRole("banner").getByRole("button", { name: "Sign in" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("E-mail").fill(USER.email);
  await dialog.getByLabel("Password").fill(USER.password);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await dialog.waitFor({ state: "detached" });
}

/** Scrolls a long way, and returns how long most steps took at most, in milliseconds. */
const SCROLL = `(async () => {
  const took = [];
  for (let top = 0; top < 20000; top += 700) {
    const begin = performance.now();
    scrollTo(0, top);
    await new Promise((resolve) => requestAnimationFrame(resolve));
    document.body.getBoundingClientRect();
    took.push(performance.now() - begin);
  }
  return took.sort((a, b) => a - b)[Math.floor(took.length / 2)];
})()`;

/** How many colours the chart is drawn in. */
const COLOURS = `(() => {
  const colours = new Set();
  for (const canvas of document.querySelectorAll(".chart canvas")) {
    const { width, height } = canvas;
    if (width === 0 || height === 0) continue;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    for (let place = 0; place < data.length; place += 4 * 37) colours.add(data.slice(place, place + 4).join());
  }
  return colours.size;
})()`;

/** What axe finds that is serious or critical: rule and element. */
async function findSerious(page: Page, axe: string): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResults>(
    "axe.run({ resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] })",
  );
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}
