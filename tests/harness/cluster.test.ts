import assert from "node:assert/strict";
import { startCluster } from "../../scripts/lib/cluster.ts";
import { withServer } from "../../scripts/test/context.ts";

const CLUSTER_MODULE = new URL("../../scripts/lib/cluster.ts", import.meta.url).href;

for (const version of [15, 17] as const) {
  Deno.test(`startCluster() starts Postgres ${version}, and stops it and removes its files when disposed of`, async () => {
    let dir: string;
    {
      await using cluster = await startCluster({ version, settings: { work_mem: "17MB" } });
      dir = cluster.socketDir;
      const [row] = await withServer(
        cluster.url(),
        (db) =>
          db.query(
            `select current_setting('work_mem') as mem, current_setting('TimeZone') as zone, current_user as me,
               current_setting('server_version_num')::integer / 10000 as version`,
          ),
      );
      assert.deepEqual(row, { mem: "17MB", zone: "UTC", me: "postgres", version });
    }
    assert.equal(await exists(dir), false);
  });
}

Deno.test("startCluster() rejects with the server's log when the server does not start", async () => {
  await assert.rejects(startCluster({ settings: { shared_buffers: "none" } }), /did not start.[^]*shared_buffers/);
});

Deno.test("startCluster() leaves nothing behind when its process is killed", async () => {
  const code = `const { startCluster } = await import("${CLUSTER_MODULE}");
    const { socketDir } = await startCluster();
    console.log(socketDir);
    await new Promise((resolve) => setTimeout(resolve, 60_000));`;
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", code], stdout: "piped" }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const dir = (await reader.read()).value!.trim();
  assert.equal(await exists(dir), true);
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
  for (let tries = 0; tries < 100 && await exists(dir); tries++) await new Promise((wake) => setTimeout(wake, 100));
  assert.equal(await exists(dir), false);
});

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
