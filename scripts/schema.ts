import { TestContext } from "./test/context.ts";
import { writeSnapshots } from "./test/snapshot.ts";

await using context = new TestContext({ paths: [], accept: false });
const paths = await writeSnapshots(context);
console.log(`Wrote ${paths.join(" and ")}.`);
