import assert from "node:assert/strict";
import { run } from "../../scripts/lib/process.ts";
import { openClient } from "../dev/client.ts";
import { startDev } from "../dev/command.ts";
import { waitUntil } from "../support/wait.ts";

Deno.test("dev --demo loads made-up bars, builds the longer ones, feeds a bar a minute, and lets psql in", async () => {
  await using stack = await startDev(["--demo"]);
  assert.match(stack.output.stdout, /^\d{5} made-up minutes loaded$/m);
  for (const step of ["Opening the database", "Loading made-up bars", "Starting the functions"]) {
    assert.match(stack.output.stdout, new RegExp(`^${step} \\(\\d+\\.\\d s\\)$`, "m"));
  }
  const admin = openClient(stack.url, stack.secret);
  for (const [symbol, timeframe] of [["EURUSD", "5m"], ["DXY", "1h"], ["SPY", "1h"]]) {
    const { count } = await admin.from("derived_data_bars").select("*", { count: "exact", head: true })
      .eq("canonical_symbol", symbol!).eq("timeframe", timeframe!);
    assert.ok(count! > 20, `${symbol} ${timeframe}: ${count}`);
  }
  const reader = openClient(stack.url, stack.publishable);
  assert.equal((await reader.rpc("agg_fleet")).error, null, "the dashboard reads without a user");
  assert.equal((await reader.from("data_bars").select().limit(1)).data?.length, 1);
  const latest = async () => {
    const { data } = await admin.from("data_bars").select("ts_utc").eq("canonical_symbol", "BTCUSD")
      .order("ts_utc", { ascending: false }).limit(1).single();
    return Date.parse(data!.ts_utc);
  };
  const loaded = await latest();
  assert.ok(Date.now() - loaded < 600_000, "the market is that of this minute");
  await waitUntil(async () => await latest() > loaded, 150);
  const door = /psql (\S+)/.exec(stack.output.stdout)![1]!;
  const { stdout } = await run("psql", [door, "-XAtc", 'select "check" from agg_check() limit 1']);
  assert.equal(stdout, "verdict\n");
  assert.equal(await stack.stop(), 0);
});
