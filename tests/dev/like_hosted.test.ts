import assert from "node:assert/strict";
import { ENGINES } from "../support/stack.ts";
import { waitUntil } from "../support/wait.ts";
import { minuteBar, openClient } from "./client.ts";

const KEY = "canonical_symbol,timeframe,ts_utc";

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`the Data API answers as that of a hosted project (${engine})`, async (test) => {
    await using stack = await openStack();
    await stack.db.exec(`
      create function public.test_raise(p_code text) returns void language plpgsql as $$
      begin
        raise exception 'said' using errcode = p_code, detail = 'in detail', hint = 'and why';
      end;
      $$;
      create function public.test_void() returns void language sql as 'select';
      create function public.test_json(p_value jsonb) returns text language sql as 'select jsonb_typeof(p_value)';
      create table public.test_type (id int primary key, n numeric, f float8, t timestamp, tz timestamptz, a timestamptz[], b bigint);
      insert into public.test_type values
        (1, 1.50, 'NaN', '2025-07-01 01:02:03.5', '2025-07-01 00:00+05:30', array['2025-07-01 00:00+00'::timestamptz], 5),
        (2, 'NaN', '-Infinity', '0044-03-15 00:00 BC', 'infinity', '{}', null);
      create table public.test_json (id serial primary key, value jsonb);
      create table public.test_filter (id text primary key, n int, f float8, b boolean, t timestamptz);
      insert into public.test_filter values
        ('DXY', 1, 1.5, true, '2025-07-01 00:00+00'), ('"DXY"', 2, null, false, null), ('TRUE', 3, 0, null, null),
        ('NULL', 4, null, null, null), ('1.50', 5, 1000, null, null), (' DXY', 6, null, null, null);
      grant all on public.test_filter to service_role;
      grant all on public.test_type, public.test_json, public.test_json_id_seq to service_role;
    `);
    const admin = openClient(stack.url, stack.keys.secret);
    const anon = openClient(stack.url, stack.keys.publishable);
    const bars = () => admin.from("data_bars");

    await test.step("upserts by a key, also ignoring what is there", async () => {
      await bars().insert([minuteBar("EURUSD", 0), minuteBar("EURUSD", 1), minuteBar("USDJPY", 0)]);
      const rows = [minuteBar("EURUSD", 1, 2), minuteBar("EURUSD", 2, 3)];
      const upserted = await bars().upsert(rows, { onConflict: KEY }).select("ts_utc,close");
      assert.equal(upserted.status, 201);
      assert.deepEqual(upserted.data, [
        { ts_utc: "2025-07-01T00:01:00+00:00", close: 2 },
        { ts_utc: "2025-07-01T00:02:00+00:00", close: 3 },
      ]);
      const again = [minuteBar("EURUSD", 2, 9), minuteBar("EURUSD", 3, 4)];
      const ignored = await bars().upsert(again, { onConflict: KEY, ignoreDuplicates: true }).select("close");
      assert.deepEqual(ignored.data, [{ close: 4 }]);
    });

    await test.step("filters, orders, pages and counts", async () => {
      const page = await bars().select("canonical_symbol,close", { count: "exact" })
        .or("canonical_symbol.gt.EURUSD,and(canonical_symbol.eq.EURUSD,ts_utc.gte.2025-07-01T00:02:00Z)")
        .order("canonical_symbol", { ascending: false }).order("ts_utc").limit(2);
      assert.deepEqual([page.status, page.count], [206, 3]);
      assert.deepEqual(page.data, [{ canonical_symbol: "USDJPY", close: 1 }, { canonical_symbol: "EURUSD", close: 3 }]);
      assert.equal(
        (await bars().select("*", { count: "exact", head: true }).in("canonical_symbol", ["EURUSD"])).count,
        4,
      );
      const beyond = await bars().select("*", { count: "exact" }).range(50, 60);
      assert.deepEqual([beyond.status, beyond.error?.code], [416, "PGRST103"]);
      await stack.db.exec(`
        insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
        select 'GBPUSD', timestamptz '2025-07-01Z' + m * interval '1 minute', 1, 1, 1, 1 from generate_series(1, 1100) as m
      `);
      const most = await bars().select("ts_utc").eq("canonical_symbol", "GBPUSD").limit(1100);
      assert.equal(most.data?.length, 1000, "max rows");
    });

    await test.step("leaves the values of filters to the type of the column", async () => {
      const filters: [filter: string, ids: string[]][] = [
        ["id=eq.DXY", ["DXY"]],
        ['id=eq."DXY"', ['"DXY"']],
        ['id=not.eq."DXY"', [" DXY", "1.50", "DXY", "NULL", "TRUE"]],
        ["id=eq. DXY", [" DXY"]],
        ["id=eq.TRUE", ["TRUE"]],
        ["id=eq.NULL", ["NULL"]],
        ["id=eq.1.50", ["1.50"]],
        ["id=in.(TRUE,NULL,1.50)", ["1.50", "NULL", "TRUE"]],
        ['id=in.("DXY","\\"DXY\\"")', ['"DXY"', "DXY"]],
        ["id=in.()", []],
        ["id=like.*DX*", [" DXY", '"DXY"', "DXY"]],
        ["id=match.^DX", ["DXY"]],
        ["n=eq.2", ['"DXY"']],
        ["n=in.(1,2)", ['"DXY"', "DXY"]],
        ["f=gte.1.5", ["1.50", "DXY"]],
        ["f=eq.1e3", ["1.50"]],
        ["b=eq.true", ["DXY"]],
        ["b=eq.TRUE", ["DXY"]],
        ["b=neq.true", ['"DXY"']],
        ["b=in.(true,false)", ['"DXY"', "DXY"]],
        ["b=is.null", [" DXY", "1.50", "NULL", "TRUE"]],
        ["t=lte.2025-07-01T02:00:00+02:00", ["DXY"]],
      ];
      const headers = { apikey: stack.keys.secret };
      for (const [filter, ids] of filters) {
        const [name, value] = filter.split(/=(.*)/s) as [string, string];
        const search = new URLSearchParams({ select: "id", [name]: value });
        const rows = await (await fetch(`${stack.url}/rest/v1/test_filter?${search}`, { headers })).json();
        assert.deepEqual(rows.map(({ id }: { id: string }) => id).sort(), ids, filter);
      }
      assert.equal((await admin.from("test_filter").select().eq("n", "x")).error?.code, "22P02");
      assert.equal((await admin.from("test_filter").update({ b: true }).eq("id", "TRUE").select("b")).data?.length, 1);
    });

    await test.step("writes values as Postgres writes them into JSON", async () => {
      const { data } = await admin.from("test_type").select().order("id");
      assert.deepEqual(data, [
        {
          id: 1,
          n: 1.5,
          f: "NaN",
          t: "2025-07-01T01:02:03.5",
          tz: "2025-06-30T18:30:00+00:00",
          a: ["2025-07-01T00:00:00+00:00"],
          b: 5,
        },
        { id: 2, n: "NaN", f: "-Infinity", t: "0044-03-15T00:00:00 BC", tz: "infinity", a: [], b: null },
      ]);
      assert.equal((await admin.rpc("test_void")).status, 204);
    });

    await test.step("takes json in columns and arguments", async () => {
      assert.equal((await admin.rpc("test_json", { p_value: [{ a: 1 }] })).data, "array");
      assert.equal((await admin.rpc("test_json", { p_value: { a: "b" } })).data, "object");
      for (const value of [{ a: [1] }, ["b"], "text", null]) {
        const { data, error } = await admin.from("test_json").insert({ value }).select("value");
        assert.equal(error, null);
        assert.deepEqual(data, [{ value }]);
      }
    });

    await test.step("tells who is refused, and what is not there", async () => {
      const refused = await anon.from("data_bars").select();
      assert.equal(refused.status, 401);
      assert.deepEqual({ ...refused.error }, {
        code: "42501",
        details: null,
        hint: null,
        message: "permission denied for table data_bars",
      });
      const unknown: [string, PromiseLike<{ status: number; error: { code: string } | null }>][] = [
        ["404 PGRST202", admin.rpc("test_nothing", { a: 1 })],
        ["404 PGRST205", admin.from("test_nothing").select()],
        ["406 PGRST106", admin.schema("agg").from("run_log").select()],
        ["400 42703", bars().select("nothing")],
        ["400 PGRST204", bars().insert({ ...minuteBar("EURUSD", 9), nothing: 1 })],
        ["400 22007", bars().select().eq("ts_utc", "no time")],
        ["406 PGRST116", bars().select().eq("canonical_symbol", "NOTHING").single()],
        ["400 42P10", bars().upsert(minuteBar("EURUSD", 9), { onConflict: "close" })],
        ["400 21000", bars().delete()],
      ];
      for (const [expected, call] of unknown) {
        const { status, error } = await call;
        assert.equal(`${status} ${error?.code}`, expected);
      }
    });

    await test.step("tells a refused row by its constraint", async () => {
      const { status, error } = await bars().insert({ ...minuteBar("EURUSD", 9), high: 0.5 });
      assert.deepEqual([status, error?.code], [400, "23514"]);
      assert.match(error!.message, /violates check constraint "data_bars_high_covers"/);
      assert.equal((await bars().insert(minuteBar("EURUSD", 0))).status, 409);
      assert.equal((await bars().insert({ canonical_symbol: "EURUSD" })).error?.code, "23502");
    });

    await test.step("passes on what a function raises, with PostgREST's status", async () => {
      const statuses = {
        P0001: 400,
        P0002: 500,
        "57014": 500,
        "57P01": 503,
        "40001": 500,
        "25P02": 500,
        "53300": 503,
        "28000": 403,
      };
      for (const [code, expected] of Object.entries(statuses)) {
        const { status, error } = await admin.rpc("test_raise", { p_code: code });
        assert.equal(status, expected, code);
        assert.deepEqual({ ...error }, { code, message: "said", details: "in detail", hint: "and why" });
      }
      assert.equal((await admin.rpc("test_raise", { p_code: "PT418" })).status, 418);
    });

    await test.step("looks at the schema again when the database says so", async () => {
      await admin.from("data_bars").select().limit(1);
      await stack.db.query("create function public.test_new() returns int language sql as 'select 5'");
      await stack.db.query("grant execute on function public.test_new() to service_role");
      assert.equal((await admin.rpc("test_new")).error?.code, "PGRST202");
      await stack.db.query("notify pgrst, 'reload schema'");
      await waitUntil(async () => (await admin.rpc("test_new")).data === 5);
    });

    await test.step("signs users up and in, as authenticated", async () => {
      const [user, credentials] = [openClient(stack.url, stack.keys.publishable), {
        email: "someone@example.org",
        password: "correct horse battery staple",
      }];
      assert.equal((await user.auth.signUp(credentials)).error, null);
      assert.equal((await user.auth.signInWithPassword({ ...credentials, password: "wrong" })).error?.status, 400);
      const { data } = await user.auth.signInWithPassword(credentials);
      assert.equal(data.user?.role, "authenticated");
      const refused = await user.from("data_bars").select();
      assert.deepEqual([refused.status, refused.error?.code], [403, "42501"]);
    });
  });
}
