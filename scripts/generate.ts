import { TestContext } from "./test/context.ts";
import { writeGenerated } from "./test/generated.ts";

await using context = new TestContext({ paths: [], accept: false });
const paths = await writeGenerated(context);
console.log(`Wrote ${paths.join(" and ")}.`);
