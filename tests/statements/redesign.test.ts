import assert from "node:assert/strict";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { ENGINES } from "../support/stack.ts";
import { loadMarket, rolledBack } from "../support/market.ts";
import { readStatements } from "./read_statements.ts";

const ENV_NAME = "prod";

// The statements are SQL, and no engine knows another one: the tests of what they call run on all engines.
for (const [engine, openStack] of Object.entries(ENGINES).filter(([engine]) => engine !== "PGlite")) {
  Deno.test(`the statements of the redesign answer as it expects (${engine})`, async (test) => {
    await using stack = await openStack();
    const { db } = stack;
    const supabase = createClient(stack.url, stack.keys.secret);
    const statements = await readStatements("redesign.sql");
    const run = async <T = Record<string, unknown>>(name: string) => await db.query<T>(statements.get(name));
    /** The one value of a call. */
    const call = async (name: string) => Object.values((await run(name))[0]!)[0] as Record<string, unknown>;
    const { minutes } = await loadMarket(db);

    await test.step("part 5: sync, cursors, mandatory tasks", async () => {
      const synced = await call("5 sync");
      assert.deepEqual([synced["success"], synced["disabled"]], [true, 0]);
      assert.equal(synced["default_start_utc"], "2025-07-01T00:00:00+00:00");
      assert.equal(typeof synced["inserted_or_updated"], "number");
      assert.deepEqual(await run("5 cursors"), [], "no cursor is null or before the start");
      await run("5 mandatory");
      assert.deepEqual(await run("5 every asset"), []);
      const positions = await run<{ timeframe: string; cursor: Date; agg_start_utc: Date; status: string }>(
        "5 positions",
      );
      // 8 assets and DXY with 5m and 1h, the 1m of DXY, the 15m of BITCOIN; none of OLDCOIN, which is not active.
      assert.equal(positions.length, 9 * 2 + 2);
      assert.ok(positions.every(({ status }) => status === "idle"));
      assert.ok(
        positions.every(({ agg_start_utc }) => agg_start_utc.getTime() === Date.parse("2025-07-01T00:00:00Z")),
      );
      assert.ok(positions.every(({ cursor, agg_start_utc }) => cursor > agg_start_utc));
    });

    await test.step("6.1: dry runs", async () => {
      await rolledBack(db, async () => {
        assert.equal((await call("6.1 dry run"))["success"], true);
        const tasks = await run<{ timeframe: string; is_mandatory: boolean }>("6.1 tasks");
        assert.ok(tasks.every(({ timeframe, is_mandatory }) => is_mandatory === (timeframe !== "15m")));
      });

      await rolledBack(db, async () => {
        assert.deepEqual(await call("6.1 bootstrap"), {
          success: true,
          bootstrapped_cursor: "2025-06-30T23:55:00+00:00",
          will_start_at: "2025-07-01T00:00:00+00:00",
        });
        assert.deepEqual(await run("6.1 cursor"), [{ last_agg_bar_ts_utc: new Date("2025-06-30T23:55:00Z") }]);
      });

      const [single] = await run<{ count: number }>("6.1 single table");
      assert.equal(single!.count, minutes);
      assert.deepEqual(await run("6.1 no union"), [{ count: 0 }]);
    });

    await test.step("6.2: one window, an hour of windows, the order of tasks", async () => {
      assert.partialDeepStrictEqual(await call("6.2 manual"), {
        success: true,
        stored: true,
        source_count: 5,
        quality_score: 2,
      });
      assert.partialDeepStrictEqual(await call("6.2 catchup"), {
        success: true,
        windows_processed: 12,
        bars_created: 12,
        bars_quality_poor: 0,
        new_cursor: "2026-01-13T10:00:00+00:00",
        stopped_reason: "max_windows",
      });
      await rolledBack(db, async () => {
        await db.exec("update data_agg_state set next_run_at = now()");
        const due = await run<{ is_mandatory: boolean; run_interval_minutes: number }>("6.2 priority");
        assert.equal(due.length, 20);
        assert.deepEqual(
          due,
          due.toSorted((a, b) =>
            Number(b.is_mandatory) - Number(a.is_mandatory) || a.run_interval_minutes - b.run_interval_minutes
          ),
        );
        assert.deepEqual([due[0]!.is_mandatory, due.at(-1)!.is_mandatory], [true, false]);
      });
    });

    await test.step("6.3: what to watch", async () => {
      const tasks = await run<{ total_bars_created: number; last_successful_at_utc: Date; last_error: string | null }>(
        "6.3 monitor",
      );
      assert.equal(tasks.length, 20);
      assert.ok(tasks.every(({ last_error, last_successful_at_utc }) => last_error === null && last_successful_at_utc));
      assert.ok(tasks.every(({ total_bars_created }) => total_bars_created > 0));
    });

    await test.step("3.1: the worker syncs when it starts", async () => {
      const data = await ensureAggregationConfigSynced(supabase);
      assert.partialDeepStrictEqual(data, { success: true, inserted_or_updated: 0, disabled: 0 });
    });

    await test.step("3.2: the worker takes a due task, builds it, and finishes it", async () => {
      await db.exec("update data_agg_state set next_run_at = now() where canonical_symbol = 'GOLD'");
      const { data: tasks, error } = await supabase.rpc("agg_get_due_tasks", { p_env_name: ENV_NAME, p_limit: 10 });
      assert.equal(error, null);
      const task = tasks.find(({ canonical_symbol }: { canonical_symbol: string }) => canonical_symbol === "GOLD");
      const { canonical_symbol: symbol, timeframe, last_agg_bar_ts_utc, is_mandatory } = task;
      await supabase.rpc("agg_start", { p_symbol: symbol, p_tf: timeframe });
      const { data: stats } = await supabase.rpc("catchup_aggregation_range", {
        p_symbol: symbol,
        p_to_tf: timeframe,
        p_start_cursor_utc: last_agg_bar_ts_utc,
      });
      await finishTask(supabase, symbol, timeframe, true, stats, null, is_mandatory);

      await supabase.rpc("agg_start", { p_symbol: symbol, p_tf: timeframe });
      await finishTask(supabase, symbol, timeframe, false, null, new Error("fetch failed"), is_mandatory);
      const [state] = await db.query(
        `select s.status, s.fail_streak, s.hard_fail_streak, s.last_error from data_agg_state as s
         where s.canonical_symbol = 'GOLD' and s.timeframe = $1`,
        [timeframe],
      );
      assert.deepEqual(state, { status: "idle", fail_streak: 1, hard_fail_streak: 1, last_error: "fetch failed" });
    });

    await test.step("part 9: an asset has its tasks when it becomes active, and a mandatory one is never disabled", async () => {
      await db.exec("update core_asset_registry_all set active = true where canonical_symbol = 'OLDCOIN'");
      const tasks = await db.query(
        `select s.timeframe, s.enabled from data_agg_state as s where s.canonical_symbol = 'OLDCOIN' order by s.run_interval_minutes`,
      );
      assert.deepEqual(tasks, [{ timeframe: "5m", enabled: true }, { timeframe: "1h", enabled: true }]);
      for (let attempt = 0; attempt < 4; attempt++) {
        await supabase.rpc("agg_start", { p_symbol: "OLDCOIN", p_tf: "5m" });
        await finishTask(supabase, "OLDCOIN", "5m", false, null, new Error("broken"), true);
      }
      const [state] = await db.query(
        `select s.status, s.enabled from data_agg_state as s where s.canonical_symbol = 'OLDCOIN' and s.timeframe = '5m'`,
      );
      assert.deepEqual(state, { status: "hard_failed", enabled: true });
    });

    statements.assertAllUsed();
  });
}

/** As in 3.1. */
async function ensureAggregationConfigSynced(supabase: SupabaseClient) {
  const { data, error } = await supabase.rpc("sync_agg_state_from_registry", {
    p_env: ENV_NAME,
    p_default_start_utc: "2025-07-01T00:00:00Z",
  });

  if (error) throw error;
  return data;
}

/** As in 3.2; the failures of this test are hard ones. */
async function finishTask(
  supabase: SupabaseClient,
  symbol: string,
  timeframe: string,
  success: boolean,
  stats: { new_cursor: string } | null,
  error: Error | null,
  isMandatory: boolean,
) {
  const isTransient = false;

  const { error: finishError } = await supabase.rpc("agg_finish", {
    p_symbol: symbol,
    p_tf: timeframe,
    p_success: success,
    p_new_cursor_utc: success ? stats!.new_cursor : null,
    p_stats: success ? stats : null,
    p_fail_kind: !success ? (isTransient ? "transient" : "hard") : null,
    p_error: !success ? String(error?.message ?? error) : null,
  });
  assert.equal(finishError, null);
  assert.equal(isMandatory, true);
}
