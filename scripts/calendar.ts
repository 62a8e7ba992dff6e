import { resolve } from "node:path";
import { parseOptions } from "./calendar/options.ts";
import { runCalendar } from "./calendar/run.ts";
import { describeError } from "../cli/lib/error.ts";

// `deno task` runs in the project folder and keeps in INIT_CWD where it was called.
const calledFrom = Deno.env.get("INIT_CWD") ?? Deno.cwd();
const options = parseOptions(Deno.args);
try {
  await runCalendar({ ...options, file: resolve(calledFrom, options.file) });
} catch (error) {
  console.error(`calendar: ${describeError(error)}`);
  Deno.exit(1);
}
