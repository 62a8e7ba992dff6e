import assert from "node:assert/strict";
import { serveGateway } from "../../scripts/lib/stack/gateway.ts";
import { KEYS, makeKeys } from "../../scripts/lib/stack/keys.ts";

Deno.test("the gateway passes requests on by their path, and takes a function's key for the Data API as the secret one", async () => {
  const { registry_sync } = KEYS.named;
  const tell = (part: string) => (request: Request) => {
    const { headers } = request;
    return new Response([part, request.method, headers.get("apikey"), headers.get("authorization")].join(" "));
  };
  await using gateway = serveGateway({ dataApi: tell("data"), functions: tell("functions") }, KEYS);
  const cases: [path: string, headers: HeadersInit, expected: string][] = [
    ["/rest/v1/data_bars", { apikey: KEYS.publishable }, `data GET ${KEYS.publishable} `],
    ["/rest/v1", {}, "data GET  "],
    ["/auth/v1/user", { apikey: registry_sync }, `data GET ${KEYS.secret} `],
    [
      "/rest/v1/data_bars",
      { apikey: registry_sync, authorization: `Bearer ${registry_sync}` },
      `data GET ${KEYS.secret} Bearer ${KEYS.secret}`,
    ],
    [
      "/rest/v1/data_bars",
      { apikey: registry_sync, authorization: "Bearer a.b.c" },
      `data GET ${KEYS.secret} Bearer a.b.c`,
    ],
    [
      "/functions/v1/word",
      { apikey: registry_sync, authorization: `Bearer ${registry_sync}` },
      `functions GET ${registry_sync} Bearer ${registry_sync}`,
    ],
  ];
  for (const [path, headers, expected] of cases) {
    const answer = await fetch(`${gateway.url}${path}`, { headers });
    assert.equal(await answer.text(), expected, path);
  }
  for (const path of ["/", "/rest/v2/data_bars", "/_system/config", "/functions/v1", "/rest/v10"]) {
    const answer = await fetch(`${gateway.url}${path}`);
    assert.deepEqual([answer.status, await answer.json()], [404, { error: "requested path is invalid" }], path);
  }
});

Deno.test("the gateway passes any other path on to pages, where it has them", async () => {
  const tell = (part: string) => (request: Request) => new Response(`${part} ${new URL(request.url).pathname}`);
  const parts = { dataApi: tell("data"), functions: tell("functions"), pages: tell("pages") };
  await using gateway = serveGateway(parts, KEYS);
  const answers = await Promise.all(
    ["/", "/dashboard.js", "/rest/v2/x", "/rest/v1/x", "/functions/v1/x"].map(async (path) =>
      await (await fetch(`${gateway.url}${path}`)).text()
    ),
  );
  assert.deepEqual(answers, [
    "pages /",
    "pages /dashboard.js",
    "pages /rest/v2/x",
    "data /rest/v1/x",
    "functions /functions/v1/x",
  ]);
});

Deno.test("the gateway refuses a method that PostgREST does not know, and passes on the others", async () => {
  await using gateway = serveGateway({ dataApi: () => new Response(), functions: () => new Response() }, KEYS);
  const { hostname, port } = new URL(gateway.url);
  for (const path of ["/rest/v1/data_bars", "/functions/v1/word", "/auth/v1/user"]) {
    for (const method of ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "TRACE", "FOO"]) {
      // fetch() sends no TRACE.
      using connection = await Deno.connect({ hostname, port: Number(port) });
      const head = `${method} ${path} HTTP/1.1\r\nhost: ${hostname}\r\nconnection: close\r\n\r\n`;
      await connection.write(new TextEncoder().encode(head));
      const [status] = (await new Response(connection.readable).text()).split("\r\n");
      const expected = ["TRACE", "FOO"].includes(method) ? /^HTTP\/1.1 405 / : /^HTTP\/1.1 200 /;
      assert.match(status!, expected, `${method} ${path}`);
    }
  }
});

Deno.test("makeKeys() gives other keys each time", () => {
  const all = [makeKeys(), makeKeys()].flatMap((
    { named, ...keys },
  ) => [...Object.values(named), ...Object.values(keys)]);
  assert.equal(new Set(all).size, all.length);
  assert.ok(all.length >= 10);
  for (const key of all) assert.match(key, /[0-9a-f]{32}$/);
});
