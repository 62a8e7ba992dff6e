import assert from "node:assert/strict";
import { openEngine } from "../support/engine.ts";

Deno.test("the dispatch job sends bars when the transaction that built them has committed, as long as broadcast is on", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  for (const name of ["010_schema", "040_realtime"]) {
    await db.exec(await Deno.readTextFile(new URL(`../sql/${name}.sql`, import.meta.url)));
  }
  await db.exec(`
    call tests.add_realtime();
    insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
    values ('A', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
    select public.enable_broadcast(array['5m', '1h']);`);
  const runJob = async (hour: number) => {
    await db.query(
      `insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
       select 'A', $1::timestamptz + m * interval '1 minute', 1, 1, 1, 1 from generate_series(0, 59) as m`,
      [new Date(Date.UTC(2025, 6, 1, hour))],
    );
    const [job] = await db.query<{ command: string }>(
      "select j.command from agg.job_list($1) as j where j.job_name = 'pgbars:dispatch'",
      [new Date(Date.UTC(2025, 6, 1, hour + 1, 10))],
    );
    await db.exec(job!.command);
  };
  await runJob(0);
  const messages = await db.query<{ topic: string; bars: number; together: number }>(
    `select m.topic, jsonb_array_length(m.payload -> 'bars') as bars,
       (select count(*)::int from public.derived_data_bars as d where d.xmin = m.xmin) as together
     from realtime.messages as m order by 1`,
  );
  assert.deepEqual(messages, [{ topic: "bars:1h", bars: 1, together: 0 }, { topic: "bars:5m", bars: 12, together: 0 }]);
  await db.query("select public.disable_broadcast()");
  await runJob(1);
  const [left] = await db.query(
    `select (select count(*)::int from realtime.messages) as messages, (select count(*)::int from agg.broadcast_note) as notes,
       (select count(*)::int from public.derived_data_bars) as bars`,
  );
  assert.deepEqual(left, { messages: 2, notes: 0, bars: 26 });
});
