import assert from "node:assert/strict";
import { ENGINES } from "../support/stack.ts";
import { openClient } from "./client.ts";

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`a stack runs each request as the role of its key or token, with the rights of the migrations (${engine})`, async () => {
    await using stack = await openStack();
    await stack.db.exec(`
      create function public.test_role() returns text language sql as 'select current_user::text';
      grant execute on function public.test_role() to anon, authenticated, service_role;
    `);
    const token = await stack.userToken();
    const clients = {
      anon: openClient(stack.url, stack.keys.publishable),
      authenticated: openClient(stack.url, stack.keys.publishable, token),
      service_role: openClient(stack.url, stack.keys.secret),
    };
    for (const [role, client] of Object.entries(clients)) {
      assert.equal((await client.rpc("test_role")).data, role);
      const { status, error } = await client.from("data_bars").select();
      assert.deepEqual(
        [status, error?.code],
        {
          anon: [401, "42501"],
          authenticated: [403, "42501"],
          service_role: [200, undefined],
        }[role],
      );
    }
    assert.equal((await openClient(stack.url, stack.keys.named.derive_dxy).rpc("test_role")).data, "service_role");
    assert.equal((await openClient(stack.url, "sb_secret_wrong").rpc("test_role")).status, 401);

    const { data, error } = await clients.service_role.functions.invoke("registry-sync", {
      body: { env: "prod" },
      headers: { apikey: stack.keys.named.registry_sync },
    });
    assert.equal(error, null);
    assert.equal(data.env, "prod");
  });
}
