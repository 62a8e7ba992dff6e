import assert from "node:assert/strict";
import { ORIGIN } from "../../model/histories.ts";
import { PLAIN_WORLD } from "../../model/world.ts";
import { Actor } from "../../scripts/lib/play/actors.ts";
import { perform } from "../../scripts/lib/play/perform.ts";
import { addWorld, prepareStage } from "../../scripts/lib/play/stage.ts";
import { openEngine } from "../support/engine.ts";
import { waitUntil } from "../support/wait.ts";

Deno.test("Actor.end() succeeds for a rollback and rejects for a commit when the session is killed meanwhile", async () => {
  await using engine = await openEngine();
  const endWhileKilled = async (how: "rollback" | "commit") => {
    const actor = await Actor.start(engine.url);
    await actor.begin();
    const statement = assert.rejects(actor.exec("select pg_sleep(60)"), { code: "57P01" });
    const [ended] = await Promise.allSettled([actor.end(how), actor.kill(engine.db), statement]);
    assert.deepEqual(await actor.query("select 1 as one"), [{ one: 1 }]);
    await actor.close();
    return ended.status;
  };
  const ends = await Promise.all([endWhileKilled("rollback"), endWhileKilled("commit")]);
  assert.deepEqual(ends, ["fulfilled", "rejected"]);
});

Deno.test("Actor.kill() of a session that is being replaced leaves no session behind", async () => {
  await using engine = await openEngine();
  const actor = await Actor.start(engine.url);
  await Promise.all([actor.kill(engine.db), actor.kill(engine.db), actor.restart()]);
  assert.deepEqual(await actor.query("select 1 as one"), [{ one: 1 }]);
  await actor.close();
  const others = await engine.db.query(
    `select a.pid, a.query from pg_stat_activity as a
     where a.datname = current_database() and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()`,
  );
  assert.deepEqual(others, []);
});

Deno.test("Actor.inTransaction is false when a kill overtakes a begin", async () => {
  await using engine = await openEngine();
  const actor = await Actor.start(engine.url);
  await Promise.allSettled([actor.begin(), actor.kill(engine.db)]);
  assert.equal(actor.inTransaction, false);
  await actor.close();
});

Deno.test("perform() writes the note of a load whose session is killed, since the bars may have been committed", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await prepareStage(db, "60s");
  await addWorld(db, { ...PLAIN_WORLD, basket: { components: ["A"], version: 1 } });
  const actor = await Actor.start(engine.url);
  const scene = { db, actors: [actor], claims: new Map(), startMinutes: new Map(), startMinute: 0 };
  const load = { kind: "load", notedAfter: true, symbols: ["A"], back: 10, length: 5, density: 100, seed: 0 } as const;

  const other = await engine.connect();
  await other.exec("begin; lock table public.data_bars in access exclusive mode");
  const outcome = perform(scene, 0, { ...load, symbols: [...load.symbols] }, ORIGIN + 60 * 60_000);
  await waitUntil(async () =>
    (await db.query("select from pg_locks as l where not l.granted and l.pid <> pg_backend_pid()")).length > 0
  );
  await actor.kill(db);
  await other.exec("rollback");
  assert.deepEqual(await outcome, { refused: "57P01" });
  assert.equal((await db.query("select from agg.change_note")).length, 1);
  await actor.close();
});
