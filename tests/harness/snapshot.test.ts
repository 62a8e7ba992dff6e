import assert from "node:assert/strict";
import type { StepResult } from "../../scripts/test/result.ts";
import { compareSnapshot, tidyDump } from "../../scripts/test/snapshot.ts";

const BODY = `CREATE FUNCTION public.f() RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  -- Dumped from a comment;


  SET default_x = 1;
end;
$$;
`;

function dump(key: string, version: string): string {
  return `--
-- PostgreSQL database dump
--

\\restrict ${key}

-- Dumped from database version ${version}
-- Dumped by pg_dump version ${version}

SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);

--
-- Name: f(); Type: FUNCTION; Schema: public; Owner: -
--

${BODY}

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: t; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.t (
    id integer
);


--
-- PostgreSQL database dump complete
--

\\unrestrict ${key}

`;
}

Deno.test("tidyDump() is the same whatever the version, the key and the owner", () => {
  assert.equal(tidyDump(dump("abc", "15.8")), tidyDump(dump("xyz", "15.20 (Debian)")));
});

Deno.test("tidyDump() keeps the statements and every line of a function's body", () => {
  assert.equal(tidyDump(dump("abc", "15.8")), `${BODY}\nCREATE TABLE public.t (\n    id integer\n);\n`);
});

Deno.test("tidyDump() refuses a dump without an object", () => {
  assert.throws(() => tidyDump("--\n-- PostgreSQL database dump\n--\n"), /no object/);
});

Deno.test("compareSnapshot() passes a file that is what was built", () => {
  assert.deepEqual(counts(compareSnapshot("client/types.ts", "type A = 1;\n", "type A = 1;\n")), [1, 0]);
});

Deno.test("compareSnapshot() refuses a file that differs, shows how, and names the command that mends it", () => {
  const drifted = compareSnapshot("client/types.ts", "type A = 1;\n", "type A = 2;\n");
  assert.deepEqual(counts(drifted), [0, 1]);
  assert.match(drifted.output, /client\/types\.ts is out of date: run `deno task schema`/);
  assert.match(drifted.output, /^-type A = 1;\n\+type A = 2;$/m);
});

Deno.test("compareSnapshot() refuses a file that is missing, even where nothing was built", () => {
  const missing = compareSnapshot("client/types.ts", undefined, "");
  assert.deepEqual(counts(missing), [0, 1]);
  assert.match(missing.output, /client\/types\.ts is missing: run `deno task schema`/);
});

function counts({ passed, failed }: StepResult): number[] {
  return [passed, failed];
}
