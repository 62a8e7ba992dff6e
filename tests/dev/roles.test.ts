import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import { ENGINES, type Stack } from "../support/stack.ts";

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`a stack runs each request as the role of its key or token, with the rights of the migrations (${engine})`, async () => {
    await using stack = await openStack();
    await stack.db.exec(`
      create function public.test_role() returns text language sql as 'select current_user::text';
      grant execute on function public.test_role() to anon, authenticated, service_role;
    `);
    const token = await stack.userToken();
    const clients = {
      anon: open(stack, stack.keys.publishable),
      authenticated: open(stack, stack.keys.publishable, token),
      service_role: open(stack, stack.keys.secret),
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
    assert.equal((await open(stack, stack.keys.named.derive_dxy).rpc("test_role")).data, "service_role");
    assert.equal((await open(stack, "sb_secret_wrong").rpc("test_role")).status, 401);

    const { data, error } = await clients.service_role.functions.invoke("registry-sync", {
      body: { env: "prod" },
      headers: { apikey: stack.keys.named.registry_sync },
    });
    assert.equal(error, null);
    assert.equal(data.env, "prod");
  });
}

function open({ url }: Stack, key: string, token?: string) {
  return createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    ...(token !== undefined && { global: { headers: { authorization: `Bearer ${token}` } } }),
  });
}
