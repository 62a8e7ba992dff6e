import { Command, InvalidArgumentError } from "commander";
import { startCluster } from "./lib/cluster.ts";
import { openServer } from "./lib/database.ts";
import { ensurePackages } from "./lib/debian.ts";
import { migrate } from "./lib/migrations.ts";
import { soak } from "./soak/soak.ts";

const options = new Command("deno task soak")
  .description(
    "Lets writers, dispatchers and outside workers work side by side on a throwaway Postgres, at a simulated clock, " +
      "then compares every bar. The exit status is 1 when one is wrong.",
  )
  .option("--minutes <count>", "how long they work", parsePositive, 5)
  .option("--dispatchers <count>", "how many of them dispatch", parseCount, 2)
  .option("--seed <number>", "what each of them does", parseSeed, Math.floor(Math.random() * 2 ** 31))
  .parse(Deno.args, { from: "user" })
  .opts<{ minutes: number; seed: number; dispatchers: number }>();

console.log(`soaking for ${options.minutes} min with --seed ${options.seed}`);
await ensurePackages();
await using cluster = await startCluster();
const url = await cluster.createDatabase("soak");
const db = await openServer(url);
try {
  await migrate(db);
  await soak(db, url, options, console.log);
  console.log("Every bar, cursor and synthetic minute is what the source bars make, and nothing is left waiting.");
} catch (error) {
  console.error(`The soak with --seed ${options.seed} failed.`);
  console.error(error);
  Deno.exitCode = 1;
} finally {
  await db.close();
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("It must be a number above 0.");
  return value;
}

function parseCount(text: string): number {
  if (!/^[1-9]$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1 to 9.");
  return Number(text);
}

function parseSeed(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 0 on.");
  return Number(text);
}
