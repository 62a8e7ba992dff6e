import { packAll } from "./pack/packages.ts";

for (const path of await packAll()) console.log(`Wrote ${path}.`);
