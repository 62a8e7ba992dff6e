import assert from "node:assert/strict";

for (const name of ["instant.ts", "transient.ts"]) {
  Deno.test(`functions/_shared/${name} is the client's file`, async () => {
    const [own, client] = [`functions/_shared/${name}`, `client/${name}`].map((path) => Deno.readTextFile(path));
    assert.equal(await own, await client);
  });
}
