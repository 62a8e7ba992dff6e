import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { ENGINES } from "../support/stack.ts";

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

function sign(claims: Record<string, unknown>, secret: string): string {
  const content = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${content}.${createHmac("sha256", secret).update(content).digest("base64url")}`;
}

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`the Data API takes the tokens that PostgREST takes, and no others (${engine})`, async () => {
    await using stack = await openStack();
    await stack.db.exec(`
      create function public.test_role() returns text language sql as 'select current_user::text';
      grant execute on function public.test_role() to anon, authenticated, service_role;
    `);
    const { jwtSecret, publishable } = stack.keys;
    const [later, unsigned] = [{ exp: 9e9 }, `${encode({ alg: "none" })}.${encode({ role: "service_role" })}.`];
    const cases: [token: string, answer: string][] = [
      [sign({ role: "service_role", ...later }, jwtSecret), "200 service_role"],
      [sign({ role: "authenticated", ...later }, jwtSecret), "200 authenticated"],
      [sign({ role: "anon", ...later }, jwtSecret), "200 anon"],
      [sign({ ...later }, jwtSecret), "200 anon"],
      [publishable, "200 anon"],
      [sign({ role: "postgres", ...later }, jwtSecret), "403 42501"],
      [sign({ role: "service_role", ...later }, "x".repeat(40)), "401 PGRST301"],
      [sign({ role: "service_role", exp: 1 }, jwtSecret), "401 PGRST303"],
      [unsigned, "401 PGRST301"],
      ["garbage", "401 PGRST301"],
      ["a.b.c", "401 PGRST301"],
    ];
    for (const [token, expected] of cases) {
      const answer = await fetch(`${stack.url}/rest/v1/rpc/test_role`, {
        headers: { apikey: publishable, authorization: `Bearer ${token}` },
      });
      const body = await answer.json();
      assert.equal(`${answer.status} ${body.code ?? body}`, expected, token);
    }
  });
}
