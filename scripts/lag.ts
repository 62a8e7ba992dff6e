import { openEmbedded } from "./lib/database.ts";
import { migrate } from "./lib/migrations.ts";
import { plot } from "./lag/plot.ts";
import { simulate } from "./lag/simulate.ts";

const FILE = new URL("../docs/lag.svg", import.meta.url);

const db = await openEmbedded();
try {
  await migrate(db);
  const { overload, samples } = await simulate(db, 300);
  const title = `Greatest lag of mandatory tasks, with ${Math.round(overload)} times more due than a minute allows`;
  await Deno.writeTextFile(FILE, plot(title, samples));
  console.log("Wrote docs/lag.svg.");
} finally {
  await db.close();
}
