import { resolve } from "node:path";
import { parseOptions } from "./demo/options.ts";
import { runDemo } from "./demo/run.ts";
import { describeError } from "../cli/lib/error.ts";

// `deno task` runs in the project folder and keeps in INIT_CWD where it was called.
const calledFrom = Deno.env.get("INIT_CWD") ?? Deno.cwd();
const options = parseOptions(Deno.args);
if (options.data !== undefined) options.data = resolve(calledFrom, options.data);
if (options.keep !== undefined) options.keep = resolve(calledFrom, options.keep);

let allWell = false;
try {
  allWell = await runDemo(options);
} catch (error) {
  console.error(`\ndemo: ${describeError(error)}`);
}
Deno.exit(allWell ? 0 : 1);
