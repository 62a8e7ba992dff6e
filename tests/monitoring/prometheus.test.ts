import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { promtool } from "../../scripts/lib/debian.ts";
import { run } from "../../scripts/lib/process.ts";
import { ENGINES } from "../support/stack.ts";

const FOLDER = fileURLToPath(new URL("../../monitoring/", import.meta.url));

Deno.test("promtool takes the rules and the configuration, and the rules do what their tests say", async () => {
  for (
    const args of [["check", "config", "prometheus.yml"], ["test", "rules", "pgbars.rules.test.yml"]]
  ) {
    const { code, report } = await run(await promtool(), args, { cwd: FOLDER });
    assert.equal(code, 0, report);
    assert.match(report, /SUCCESS/);
  }
});

Deno.test("every rule has a test that sees it fire, and one in which it does not", async () => {
  const [rules, tests] = await Promise.all(
    ["pgbars.rules.yml", "pgbars.rules.test.yml"].map((name) => Deno.readTextFile(FOLDER + name)),
  );
  const names = [...rules!.matchAll(/- alert: (\w+)/g)].map(([, name]) => name!);
  assert.ok(names.length >= 9);
  for (const name of names) {
    assert.match(tests!, new RegExp(`alertname: ${name}(,|\\n) *exp_alerts`), name);
    assert.match(tests!, new RegExp(`alertname: ${name} }`), name);
  }
});

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`pgbars-metrics gives what Prometheus reads (${engine})`, async (test) => {
    await using stack = await openStack();
    const { db, keys } = stack;
    const get = (init: RequestInit = {}) => stack.send("pgbars-metrics", { method: "GET", ...init });
    const check = async (text: string) => {
      const process = new Deno.Command(await promtool(), {
        args: ["check", "metrics"],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = process.stdin.getWriter();
      await writer.write(new TextEncoder().encode(text));
      await writer.close();
      const { code, stdout, stderr } = await process.output();
      assert.deepEqual([code, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr)], [0, ""], text);
    };
    const addAssets = (from: number, to: number) =>
      db.query(
        `insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
         select format(E'S"\\\\%s', n), true, '{"agg": {"optional": ["15m", "1d"], "start_utc": "2025-07-01T00:00:00Z"}}'
         from generate_series($1::integer, $2::integer) as n`,
        [from, to],
      );

    await test.step("promtool finds nothing in the metrics of a new database", async () => {
      const { status, headers, text } = await get();
      assert.equal(status, 200, text);
      assert.equal(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
      await check(text);
    });

    let lines = 0;
    await test.step("nor in those of one at work, with symbols that need an escape", async () => {
      await addAssets(1, 20);
      await db.exec(`
        insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
        select r.canonical_symbol, m, 1, 1, 1, 1
        from public.core_asset_registry_all as r
        cross join generate_series(date_trunc('hour', now()) - interval '3 hours', date_trunc('hour', now()) - interval '2 hours', interval '1 minute') as m
        where r.canonical_symbol like 'S%';
        select public.agg_run_due();
        select public.agg_maintain();
        insert into agg.alert (kind, canonical_symbol, timeframe, severity, message, raised_at)
        values ('failing', E'S"\\\\1', '5m', 'critical', 'broken', now());
        insert into agg.correction (canonical_symbol, timeframe, spans, changed_at)
        values (E'S"\\\\1', '5m', '{[2025-07-01 00:00+00, 2025-07-01 00:05+00)}', now());
        select public.agg_add_alert_target('chat', 'slack');
      `);
      const { text } = await get();
      await check(text);
      assert.match(text, /^pgbars_slowest_lag_seconds\{symbol="S\\"\\\\\d+",timeframe="\w+"\} \d/m);
      lines = text.split("\n").length;
    });

    await test.step("every metric that a rule reads is there", async () => {
      const { text } = await get();
      const rules = await Deno.readTextFile(`${FOLDER}pgbars.rules.yml`);
      const names = new Set([...rules.matchAll(/\bpgbars_\w+/g)].map(([name]) => name));
      assert.ok(names.size > 8);
      for (const name of names) assert.match(text, new RegExp(`^${name}[ {]`, "m"));
    });

    await test.step("more symbols add no lines", async () => {
      await addAssets(21, 200);
      const { text } = await get();
      const symbols = text.match(/symbol="/g)!.length;
      assert.equal(symbols, 10);
      // Tasks that have not run yet are in a state of their own.
      assert.ok(text.split("\n").length <= lines + 4, `${text.split("\n").length} lines after ${lines}`);
    });

    await test.step("the key may come as a bearer token, and no other opens it", async () => {
      const key = keys.named.pgbars_metrics;
      const fetchWith = async (headers: Record<string, string>) => {
        const response = await fetch(`${stack.url}/functions/v1/pgbars-metrics`, { headers });
        await response.text();
        return response.status;
      };
      assert.equal(await fetchWith({ authorization: `Bearer ${key}` }), 200);
      assert.equal(await fetchWith({ authorization: `Bearer ${key}x` }), 401);
      assert.equal(await fetchWith({ authorization: `Bearer ${keys.secret}` }), 401);
      assert.equal(await fetchWith({ apikey: keys.named.registry_sync }), 401);
      assert.equal(await fetchWith({}), 401);
      const { status, headers } = await stack.post("pgbars-metrics", {});
      assert.deepEqual([status, headers.get("allow")], [405, "GET"]);
    });
  });
}
