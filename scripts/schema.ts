import { TestContext } from "./test/context.ts";
import { writeSnapshot } from "./test/snapshot.ts";

await using context = new TestContext({ paths: [], accept: false });
await writeSnapshot(context);
console.log("Wrote supabase/schema.sql.");
