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
      await using stack = await startDev("--keep", keep, "--functions", functions);
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

      await test.step("an edit takes effect, and a broken one is told and mended", async () => {
        const [answer, handler] = [`${functions}/_shared/answer.ts`, `${functions}/registry-sync/handler.ts`];
        await edit(answer, (text) => text.replace("Only POST is allowed.", "POST, please."));
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

      await test.step("a function that ends its process takes no other along", async () => {
        const { length } = stack.output.stdout;
        await Deno.mkdir(`${folder}/leaver`);
        await Deno.writeTextFile(`${folder}/leaver/index.ts`, "export default { fetch: () => Deno.exit(3) };");
        await Deno.rename(`${folder}/leaver`, `${functions}/leaver`);
        await waitUntil(() => Promise.resolve(stack.output.stdout.slice(length).includes("loaded again")));
        const left = await fetch(`${stack.url}/functions/v1/leaver`);
        assert.deepEqual([left.status, (await left.json()).code], [503, "BOOT_ERROR"]);
        assert.doesNotMatch(stack.output.stderr, /leaver does not start/);
        await waitUntil(async () => (await post("derive-dxy", {})).status === 200);
      });

      await test.step("it ends at a signal with all of its processes, and says so", async () => {
        assert.equal(await stack.stop("SIGINT"), 0);
        await assert.rejects(fetch(stack.url));
      });
    }

    await test.step("the next start finds the data", async () => {
      await using stack = await startDev("--keep", keep);
      const { data } = await openClient(stack.url, KEYS.secret).from("data_bars").select("ts_utc");
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
