import assert from "node:assert/strict";
import { Actor } from "../../scripts/lib/play/actors.ts";
import { openEngine } from "../support/engine.ts";

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
