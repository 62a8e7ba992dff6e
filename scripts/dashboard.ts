import { resolve } from "node:path";
import { buildDashboard } from "./dashboard/build.ts";

// `deno task` runs in the project's folder, and puts the caller's folder into INIT_CWD.
const [given] = Deno.args;
const folder = given === undefined ? "dist/dashboard" : resolve(Deno.env.get("INIT_CWD") ?? Deno.cwd(), given);
await Deno.mkdir(folder, { recursive: true });
let bytes = 0;
for (const [name, contents] of await buildDashboard()) {
  await Deno.writeFile(`${folder}/${name}`, contents);
  bytes += contents.length;
}
console.log(
  `Wrote the dashboard into ${folder}, ${Math.round(bytes / 1024)} kB. docs/dashboard.md says how to deploy it.`,
);
