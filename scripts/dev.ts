import { resolve } from "node:path";
import { parseOptions } from "./dev/options.ts";
import { runDev } from "./dev/run.ts";
import { describeError } from "../cli/lib/error.ts";

// `deno task` runs in the project's folder, and puts the caller's folder into INIT_CWD.
const calledFrom = Deno.env.get("INIT_CWD") ?? Deno.cwd();
const options = parseOptions(Deno.args);
for (const name of ["keep", "sql", "functions"] as const) {
  if (options[name] !== undefined) options[name] = resolve(calledFrom, options[name]);
}

try {
  await runDev(options);
} catch (error) {
  console.error(`dev: ${describeError(error)}`);
  Deno.exit(1);
}
Deno.exit(0);
