import assert from "node:assert/strict";
import { KEYS } from "../../scripts/lib/stack/keys.ts";
import type { BarFunctionName } from "../support/function_client.ts";
import { serveFunctionsOver } from "./stand_in.ts";

const ROTATED = "sb_secret_rotated";

for (const rotated of ["registry_sync", "derive_dxy"] as const) {
  Deno.test(`the key ${rotated} is changed alone`, async () => {
    const keys = { default: KEYS.secret, ...KEYS.named, [rotated]: ROTATED };
    await using functions = await serveFunctionsOver(() => Response.json([]), {
      SUPABASE_SECRET_KEYS: JSON.stringify(keys),
    });
    const status = async (name: BarFunctionName, apikey: string) =>
      (await functions.send(name, { method: "POST", body: "[]", headers: { apikey } })).status;
    for (const name of ["registry-sync", "derive-dxy"] as const) {
      const own = name.replaceAll("-", "_") as keyof typeof KEYS.named;
      assert.equal(await status(name, KEYS.named[own]), own === rotated ? 401 : 422, `${name} with its key of before`);
      assert.equal(await status(name, ROTATED), own === rotated ? 422 : 401, `${name} with the new key`);
    }
  });
}
