import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { FUNCTIONS_FOLDER } from "../../scripts/lib/stack/functions.ts";
import { KEYS } from "../../scripts/lib/stack/keys.ts";
import { functionClient } from "../support/function_client.ts";
import { waitUntil } from "../support/wait.ts";
import { minuteBar, openClient } from "./client.ts";
import { startDev } from "./command.ts";

Deno.test("dev serves the Data API and the functions to supabase-js, loads edited functions again, and keeps its data", async (test) => {
  const folder = await Deno.makeTempDir();
  const [functions, keep] = [`${folder}/functions`, `${folder}/data`];
  await cp(FUNCTIONS_FOLDER, functions, { recursive: true });
  try {
    {
      await using stack = await startDev(["--keep", keep, "--functions", functions]);
      const [admin, anon] = [openClient(stack.url, KEYS.secret), openClient(stack.url, KEYS.publishable)];
      const { send, post } = functionClient(stack.url);

      await test.step("it prints its URL, its keys and what to do next", () => {
        const { stdout } = stack.output;
        const keys = [KEYS.publishable, KEYS.secret, KEYS.named.registry_sync, KEYS.named.derive_dxy];
        for (
          const text of [`${stack.url}/rest/v1`, `${stack.url}/functions/v1/derive-dxy`, "pgbars:dispatch", ...keys]
        ) {
          assert.ok(stdout.includes(text), `${text} is missing in ${stdout}`);
        }
      });

      await test.step("it serves the dashboard, and tells it the publishable key", async () => {
        assert.match(stack.output.stdout, new RegExp(`Dashboard +${stack.url}/\n`));
        const types: Record<string, string> = {
          "": "text/html",
          "dashboard.js": "text/javascript",
          "dashboard.css": "text/css",
        };
        for (const [path, type] of Object.entries(types)) {
          const { status, headers } = await fetch(`${stack.url}/${path}`, { method: "HEAD" });
          assert.deepEqual([status, headers.get("content-type")], [200, `${type}; charset=utf-8`]);
        }
        assert.match(await (await fetch(stack.url)).text(), /<script type="module" src="dashboard.js">/);
        assert.deepEqual(await (await fetch(`${stack.url}/config.json`)).json(), { key: KEYS.publishable });
        const other = await fetch(`${stack.url}/../deno.json`);
        assert.deepEqual([other.status, await other.json()], [404, { error: "requested path is invalid" }]);
        const written = await fetch(stack.url, { method: "POST", body: "x" });
        assert.deepEqual([written.status, await written.json()], [404, { error: "requested path is invalid" }]);
      });

      await test.step("tables and functions answer the secret key and refuse the publishable one", async () => {
        const asset = { canonical_symbol: "EURUSD", active: true };
        assert.equal((await admin.from("core_asset_registry_all").insert(asset)).error, null);
        assert.equal((await admin.from("data_bars").insert([minuteBar("EURUSD", 0)])).error, null);
        assert.equal((await anon.from("data_bars").select()).error?.code, "42501");
        const { data } = await admin.rpc("agg_health").eq("canonical_symbol", "DXY");
        assert.ok(Array.isArray(data));
      });

      await test.step("both functions answer to their keys", async () => {
        const synced = await admin.functions.invoke("registry-sync", {
          body: { env: "prod" },
          headers: { apikey: KEYS.named.registry_sync },
        });
        assert.equal(synced.data?.env, "prod");
        const derived = await admin.functions.invoke("derive-dxy", {
          body: { from: "2025-07-01T00:00:00Z", to: "2025-07-01T00:05:00Z" },
          headers: { apikey: KEYS.named.derive_dxy },
        });
        assert.equal(derived.data?.symbol, "DXY");
      });

      await test.step("an edit takes effect, and a broken one is reported and can be fixed", async () => {
        const [answer, handler] = [`${functions}/_shared/answer.ts`, `${functions}/registry-sync/handler.ts`];
        await edit(answer, (text) => text.replace("Only ${method} is allowed.", "${method}, please."));
        await stack.printed("stdout", "loaded again");
        assert.equal((await send("derive-dxy", { method: "GET" })).body.message, "POST, please.");

        const good = await edit(handler, (text) => `${text}\n}`);
        await stack.printed("stderr", "The function registry-sync does not start");
        assert.match(stack.output.stderr, /registry-sync\/handler\.ts:\d+/);
        await waitUntil(async () => (await post("registry-sync", { env: "prod" })).body.code === "BOOT_ERROR");
        assert.equal((await post("derive-dxy", {})).status, 200);

        await edit(handler, () => good);
        await waitUntil(async () => (await post("registry-sync", { env: "prod" })).status === 200);
      });

      await test.step("one that does not finish loading is reported, and holds up no other", async () => {
        await Deno.mkdir(`${functions}/hang`);
        await Deno.writeTextFile(`${functions}/hang/index.ts`, "while (true) { /* for ever */ }");
        await stack.printed("stderr", "The function hang is still loading");
        await Deno.mkdir(`${functions}/leaver`);
        await Deno.writeTextFile(`${functions}/leaver/index.ts`, "Deno.exit(3);");
        await stack.printed("stderr", "The function leaver does not start: its process ended with exit code 3");
        await Deno.mkdir(`${functions}/word`);
        await Deno.writeTextFile(`${functions}/word/index.ts`, `Deno.serve(() => Response.json("word"));`);
        await waitUntil(async () => await (await fetch(`${stack.url}/functions/v1/word`)).text() === '"word"');
      });

      await test.step("it ends at a signal with all of its processes and unfinished requests, and says so", async () => {
        const { hostname, port } = new URL(stack.url);
        using unfinished = await Deno.connect({ hostname, port: Number(port) });
        await unfinished.write(new TextEncoder().encode(
          `POST /rest/v1/data_bars HTTP/1.1\r\nhost: x\r\napikey: ${KEYS.secret}\r\ncontent-length: 9\r\n\r\n[`,
        ));
        assert.equal(await stack.stop("SIGINT"), 0);
        assert.match(stack.output.stdout, /Ending\./);
        await assert.rejects(fetch(stack.url));
      });
    }

    await test.step("the next start finds the data, and runs the SQL that it is given", async () => {
      const sql = `${folder}/open.sql`;
      await Deno.writeTextFile(sql, "select grant_read_access('anon');");
      await using stack = await startDev(["--keep", keep, "--sql", "open.sql"], { INIT_CWD: folder });
      const { data } = await openClient(stack.url, KEYS.publishable).from("data_bars").select("ts_utc");
      assert.deepEqual(data, [{ ts_utc: "2025-07-01T00:00:00+00:00" }]);
      assert.equal(await stack.stop("SIGTERM"), 0);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function edit(path: string, change: (text: string) => string): Promise<string> {
  const before = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, change(before));
  return before;
}
