import assert from "node:assert/strict";
import { isAccepted } from "../../scripts/test/linters.ts";

Deno.test("isAccepted() accepts a finding for the named object only", () => {
  const finding = (schema: string, name: string) => ({
    name: "function_search_path_mutable",
    metadata: { schema, name },
  });
  assert.equal(isAccepted(finding("public", "agg_run_due")), true);
  assert.equal(isAccepted(finding("agg", "agg_run_due")), false);
  assert.equal(isAccepted(finding("public", "agg_start")), false);
  assert.equal(
    isAccepted({ name: "rls_disabled_in_public", metadata: { schema: "public", name: "agg_run_due" } }),
    false,
  );
  assert.equal(isAccepted({ name: "unused_index", metadata: { schema: "agg", name: "run_log" } }), true);
});
