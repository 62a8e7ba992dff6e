import { Command, InvalidArgumentError } from "commander";
import { describeError } from "../cli/lib/error.ts";
import { playDay } from "./capacity/day.ts";
import { renderPage } from "./capacity/page.ts";
import { startCluster } from "./lib/cluster.ts";
import { openServer } from "./lib/database.ts";
import { ensurePackages } from "./lib/debian.ts";
import { migrate } from "./lib/migrations.ts";

const PAGE = new URL("../docs/capacity.md", import.meta.url);

const program = new Command("deno task capacity")
  .description(
    "Plays a day of symbols on a throwaway Postgres, and writes docs/capacity.md: what it costs in CPU, WAL and bytes, and the " +
      "success metrics of the plans. Takes about ten minutes.",
  )
  .option("--symbols <n>", "how many symbols", wholeNumber, 1000)
  .option("--minutes <n>", "a shorter day, to try it: the page is printed, not written", wholeNumber, 1440)
  .parse(Deno.args, { from: "user" });
const { symbols, minutes } = program.opts<{ symbols: number; minutes: number }>();

try {
  await ensurePackages();
  await using cluster = await startCluster({ settings: { autovacuum: "on", max_wal_size: "8GB" } });
  const url = await cluster.createDatabase("capacity");
  const owner = await openServer(url);
  await migrate(owner);
  const day = await playDay(() => openServer(url), symbols, minutes, (hour) => console.log(`${hour} h played`));
  const [row] = await owner.query<{ version: string }>(
    "select split_part(current_setting('server_version'), ' ', 1) as version",
  );
  await owner.close();
  const page = renderPage(day, row!.version, new Date().toISOString().slice(0, 10));
  if (minutes < 1440) console.log(page);
  else {
    await Deno.writeTextFile(PAGE, page);
    await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", PAGE.pathname] }).output();
    console.log("Wrote docs/capacity.md.");
  }
} catch (error) {
  program.error(describeError(error));
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give a whole number above 0.");
}
