import assert from "node:assert/strict";
import { replaceInPlace } from "../../scripts/schema/generate.ts";

Deno.test("replaceInPlace() keeps views and functions that are made again, and drops the others", () => {
  const sql = `\
DROP VIEW "agg"."kept";

DROP VIEW "agg"."gone";

DROP FUNCTION "agg"."kept"(timestamp WITH time zone);

DROP FUNCTION "agg"."gone"(text, text);

CREATE OR REPLACE FUNCTION agg.kept (
  p_now timestamp WITH time zone
)
RETURNS boolean;

CREATE VIEW "agg"."kept" AS SELECT 1;
`;
  assert.equal(
    replaceInPlace(sql),
    `\
DROP VIEW "agg"."gone";

DROP FUNCTION "agg"."gone"(text, text);

CREATE OR REPLACE FUNCTION agg.kept (
  p_now timestamp WITH time zone
)
RETURNS boolean;

CREATE OR REPLACE VIEW "agg"."kept" AS SELECT 1;
`,
  );
});
