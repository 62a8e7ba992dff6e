import assert from "node:assert/strict";
import { checkConverged } from "../support/converged.ts";
import { readValue, runDue } from "../support/dispatch.ts";
import { clearEngine, openEngine } from "../support/engine.ts";
import { addMinutes, clockAfter, loadPopulation, makePopulation } from "../support/population.ts";

/** It stands still for the last seven. */
const DAYS = 8;
const HOURS = DAYS * 24;

Deno.test("a dispatcher that stood still for a week finds few notes, and makes up for all of it", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await clearEngine(db);
  const assets = makePopulation(3, HOURS);
  await loadPopulation(db, assets);
  const now = clockAfter(HOURS);
  await db.exec(`
    create table public.test_feed as select * from public.data_bars;
    create index on public.test_feed (ts_utc);
    truncate public.data_bars;
    truncate agg.change_note;
  `);

  let statements = 0;
  let most = 0;
  for (let quarter = 1; quarter <= DAYS * 4; quarter++) {
    const clock = addMinutes(now, quarter * 360 - HOURS * 60);
    await db.exec(quarterDay(clock.toISOString()));
    if (quarter <= 4) {
      await runDue(db, clock);
      continue;
    }
    statements += 360 + 36;
    most = Math.max(most, await readValue<number>(db, "select count(*) from agg.change_note"));
    await db.exec("update agg.change_note as n set changed_at = n.changed_at - interval '6 hours'");
  }
  // Folded every thousandth statement, into as many rows as ten thousand spans need: one.
  assert.ok(most <= 1001, `${most} notes after ${statements} statements`);
  assert.ok(statements > 10_000);

  assert.equal((await runDue(db, now)).stopped_reason, "idle");
  const later = addMinutes(now, 61);
  await runDue(db, later);
  await checkConverged(db, assets, later);
});

/** The six hours of ingest up to `clock`, a statement a minute; every ten minutes an older bar is edited or, once an hour, deleted. */
function quarterDay(clock: string): string {
  return `do $feed$
    declare
      v_minute timestamptz;
      v_older timestamptz;
    begin
      for v_minute in
        select '${clock}'::timestamptz - interval '5 minutes' - interval '1 minute' * m from generate_series(360, 1, -1) as m
      loop
        insert into public.data_bars select f.* from public.test_feed as f where f.ts_utc = v_minute;
        continue when extract(minute from v_minute)::integer % 10 <> 0;
        v_older := v_minute - interval '1 minute' * (10 + 200 * extract(hour from v_minute) + extract(minute from v_minute));
        if extract(minute from v_minute) = 0 then
          delete from public.data_bars as d where d.ts_utc = v_older;
        else
          update public.data_bars as d set high = d.high + 1, close = d.high + 1 where d.ts_utc = v_older;
        end if;
      end loop;
    end $feed$`;
}
