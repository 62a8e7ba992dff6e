import { resolve } from "node:path";
import { parseOptions } from "./dev/options.ts";
import { runDev } from "./dev/run.ts";
import { describeError } from "./lib/error.ts";

// `deno task` runs in the project folder and keeps in INIT_CWD where it was called.
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
