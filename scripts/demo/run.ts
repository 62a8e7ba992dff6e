import { type Database, openEmbedded, openServer } from "../lib/database.ts";
import { describeError } from "../../cli/lib/error.ts";
import { migrate } from "../lib/migrations.ts";
import { readHours, readLastFiveMinutes, renderBars, renderChart } from "./bars.ts";
import { catchUp } from "./catch_up.ts";
import { listFiles } from "./files.ts";
import { liveOutage } from "./generator.ts";
import { countLateBars, databaseClock, deliverLate, playLive } from "./live.ts";
import { type Loaded, loadFiles, loadMarket } from "./load.ts";
import type { DemoOptions } from "./options.ts";
import { Problems } from "../../cli/lib/import/problems.ts";
import { Progress } from "./progress.ts";
import { renderRows, writeCsv } from "./query.ts";
import { type Mark, readMark, switchSynthetic, syncTasks, unscheduleJobs } from "./registry.ts";
import { explain, explainColumns, readTasks, renderTasks } from "./report.ts";
import { formatCount, formatTime, outputWidth, say } from "./text.ts";

const defaults = { seed: 1, weeks: 3, hours: 3 };
const command = "npx -y deno@2.9.6 task demo";

/** Runs the demo. Returns whether all went well; throws an Error with a line for people when it cannot go on. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const files = options.data === undefined ? [] : await listFiles(options.data);
  const db = await openDatabase(options);
  try {
    if (options.sql !== undefined) {
      if (options.csv) await writeCsv(db, options.sql, Deno.stdout.writable);
      else console.log(renderRows(await db.query(options.sql)));
      return true;
    }
    say(`One-minute bars go in; 5m and 1h bars and DXY come out, built inside ${placeOf(options)}.`);
    console.log();
    const progress = new Progress((options.once ? 3 : 4) + (options.data === undefined ? 1 : 0));
    try {
      return await play(db, options, files, progress);
    } finally {
      progress.stop();
    }
  } finally {
    await db.close();
  }
}

async function openDatabase({ db, keep, sql }: DemoOptions): Promise<Database> {
  if (db !== undefined) {
    try {
      return await openServer(db);
    } catch (cause) {
      throw new Error(`--db: cannot connect: ${describeError(cause)}`, { cause });
    }
  }
  if (keep === undefined) return await openEmbedded();
  const entries = await readFolder(keep);
  if (entries.length === 0) {
    if (sql !== undefined) {
      throw new Error(`--keep ${keep}: there is no database yet; run the demo without --sql first`);
    }
  } else if (!entries.includes("PG_VERSION")) {
    throw new Error(`--keep ${keep}: the folder holds other files; name an empty or a new one`);
  }
  return await openEmbedded(keep);
}

async function readFolder(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new Error(`--keep ${folder}: ${describeError(error)}`, { cause: error });
  }
}

async function play(
  db: Database,
  options: DemoOptions,
  files: readonly string[],
  progress: Progress,
): Promise<boolean> {
  const problems = new Problems();

  const schema = progress.begin("Schema", 1);
  const applied = await migrate(db);
  // An hour of the demo's clock is a second, and nothing writes past pgbars here.
  if (options.db === undefined) await db.exec("update agg.environment set audit_percent = 0");
  const mark = wantedMark(await readMark(db), options);
  const jobs = await unscheduleJobs(db);
  schema.end(applied.length === 0 ? "up to date" : `${count(applied.length, "migration")} applied`);
  if (jobs > 0) {
    progress.add(
      `${jobs} pg_cron jobs are taken away, since the demo keeps its own clock; select schedule_jobs() brings them back`,
    );
  }

  const notices: string[] = [];
  const load = progress.begin("Load", 1);
  const loadStart = performance.now();
  const loadBegan = await databaseClock(db);
  const liveHours = options.once ? 0 : options.hours ?? defaults.hours;
  const loaded = mark.source === "generated"
    ? await loadMarket(db, mark, liveHours, problems, load)
    : await loadFiles(db, files, options, liveHours, problems, (text) => notices.push(text), load);
  load.end(loaded === undefined ? "no good bar in any file" : describeLoad(loaded, secondsSince(loadStart)));
  for (const notice of notices) progress.add(notice);
  for (const line of problems.describeRows()) console.error(line);
  if (loaded === undefined) {
    problems.fail("there is nothing to build bars from");
    return conclude(problems);
  }

  const late = await countLateBars(db, loadBegan);
  const { lacking, started } = await switchSynthetic(db);
  for (const [symbol, missing] of lacking) {
    progress.add(`${symbol} is left out: there are no bars of ${missing.join(", ")}`);
  }
  const buildStart = performance.now();
  const build = progress.begin("Catch up", 1);
  await syncTasks(db, new Date(loaded.clock), started);
  const built = await catchUp(db, new Date(loaded.clock), (done) => build.update(done));
  const buildTime = describeTime(built.bars, secondsSince(buildStart));
  build.end(`${count(built.bars, "bar")} built from ${count(built.windows, "window")} ${buildTime}`);
  if (late > 0) {
    progress.add(
      `${formatCount(late)} new or changed bars were behind the cursors of their tasks: ` +
        `${formatCount(built.corrected)} bars were built again from them`,
    );
  }
  let failed = built.failed;

  if (!options.once) {
    failed += await playLivePart(db, loaded, progress, problems);
    if (mark.source === "generated") {
      const silent = liveOutage(mark);
      if (silent.from >= loaded.clock && silent.to <= loaded.end) {
        progress.add(
          `no FX pair had a bar from ${timeOfDay(silent.from)} to ${timeOfDay(silent.to)}: ` +
            "their tasks waited, then stepped over the gap",
        );
      }
    }
  }
  if (loaded.late.length > 0) failed += await playLatePart(db, loaded, progress, problems);
  if (failed > 0) problems.fail(`${count(failed, "run")} of tasks failed`);
  await collectFailures(db, new Date(loaded.end), problems);

  await printBars(db);
  const table = renderTasks(await readTasks(db), outputWidth());
  console.log(`\nThe tasks of the database, and the bars that they have built\n\n${table}\n`);
  for (const line of explainColumns(table)) say(line);
  const warnings = await openAlerts(db, "warning");
  if (warnings.length > 0) {
    say("\nAlerts that can wait:");
    for (const line of warnings) say(line);
  }
  if (options.explain) console.log(`\n${explain()}`);
  return conclude(problems, nextSteps(options));
}

async function playLivePart(db: Database, loaded: Loaded, progress: Progress, problems: Problems): Promise<number> {
  const minutes = (loaded.end - loaded.clock) / 60_000;
  const step = progress.begin("Live", Math.max(1, minutes));
  const start = performance.now();
  let played = 0;
  const live = await playLive(db, loaded.live, { from: loaded.clock, to: loaded.end }, problems, (time) => {
    step.update(++played, formatTime(time));
  });
  if (minutes === 0) {
    step.end("nothing new to play");
    return live.failed;
  }
  step.end(
    `${minutes} simulated minutes to ${formatTime(new Date(loaded.end))} UTC in ${secondsSince(start).toFixed(1)} s:`,
    `${count(live.arrived, "bar")} came in, ${count(live.jobs, "job")} ran, ${count(live.bars, "bar")} built`,
  );
  return live.failed;
}

async function playLatePart(db: Database, loaded: Loaded, progress: Progress, problems: Problems): Promise<number> {
  const step = progress.begin("Late", 1);
  const end = new Date(loaded.end);
  const { arrived, corrected, milliseconds, failed } = await deliverLate(db, loaded.late, end, problems);
  const [first] = loaded.late;
  if (arrived === 0) {
    step.end("nothing new came late");
    return failed;
  }
  step.end(
    `${arrived} minutes of ${first!.symbol} from ${formatTime(new Date(first!.ts))} on came now`,
    `their windows and no other were built again, in ${milliseconds.toFixed(0)} ms:`,
    corrected.map(({ symbol, bars }) => `${symbol} ${bars}`).join("; "),
  );
  return failed;
}

/** Prints the last hours as a chart, and two bars in full. */
async function printBars(db: Database): Promise<void> {
  const width = Math.min(outputWidth(), 120) - 14;
  const hours = await readHours(db, width);
  const last = hours.at(-1);
  if (last === undefined) return;
  console.log(`\n${last.canonical_symbol} 1h, close of the last ${count(hours.length, "bar")} (UTC)\n`);
  console.log(renderChart(hours, width));
  const minutes = await readLastFiveMinutes(db);
  console.log("\nThe last bars as derived_data_bars has them (UTC)\n");
  console.log(renderBars(minutes === undefined ? [last] : [last, minutes]));
}

function wantedMark(kept: Mark | undefined, options: DemoOptions): Mark {
  const { data, seed, weeks } = options;
  if (kept === undefined) {
    return data !== undefined
      ? { source: "files" }
      : { source: "generated", seed: seed ?? defaults.seed, weeks: weeks ?? defaults.weeks };
  }
  if (kept.source === "files") {
    if (data !== undefined) return kept;
    throw new Error("this database holds bars from files: run it with --data, or name another database");
  }
  if (data !== undefined) throw new Error("this database holds a generated market: name another one for --data");
  if ((seed ?? kept.seed) !== kept.seed || (weeks ?? kept.weeks) !== kept.weeks) {
    throw new Error(`this database was made with --seed ${kept.seed} --weeks ${kept.weeks}: leave these options out`);
  }
  return kept;
}

async function collectFailures(db: Database, now: Date, problems: Problems): Promise<void> {
  const bad = await db.query<{ canonical_symbol: string; timeframe: string; state: string; explanation: string }>(
    `select h.canonical_symbol, h.timeframe, h.state, h.explanation from public.agg_health($1::timestamptz) as h
     where h.state in ('hard_failed', 'failing', 'disabled', 'running', 'never_ran', 'catching_up')`,
    [now],
  );
  for (const task of bad) {
    problems.fail(`task ${task.canonical_symbol} ${task.timeframe} is ${task.state}: ${task.explanation}`);
  }
  for (const alert of await openAlerts(db, "critical")) problems.fail(alert);
}

/** Open alerts of a severity, a line each. */
async function openAlerts(db: Database, severity: "critical" | "warning"): Promise<string[]> {
  const alerts = await db.query<{ kind: string; canonical_symbol: string; timeframe: string; message: string }>(
    "select a.kind, a.canonical_symbol, a.timeframe, a.message from public.agg_alerts() as a where a.severity = $1",
    [severity],
  );
  return alerts.map(({ kind, canonical_symbol, timeframe, message }) =>
    `alert ${kind}, ${canonical_symbol} ${timeframe}: ${message}`
  );
}

function conclude(problems: Problems, next: string[] = []): boolean {
  for (const line of next) console.log(line);
  if (!problems.any) return true;
  const lines = problems.describeFailures();
  if (problems.refusedRows > 0) lines.unshift(`${formatCount(problems.refusedRows)} refused rows, see above`);
  console.error(`\nNot all went well:\n${lines.map((line) => `  ${line}`).join("\n")}`);
  return false;
}

function nextSteps({ keep, db, explain }: DemoOptions): string[] {
  const query = '"select * from agg_health()"';
  return [
    "",
    ...keep !== undefined
      ? ["Look around:", `  ${command} --keep ${keep} --sql ${query}`]
      : db !== undefined
      ? ["Look around:", `  psql "<the --db url>" -c ${query}`]
      : ["Keep the database and look around (then add --sql and a query):", `  ${command} --keep .pgbars/demo`],
    ...explain ? [] : ["Add --explain for the SQL behind every number of the table, --help for more."],
  ];
}

function placeOf({ db, keep }: DemoOptions): string {
  if (db !== undefined) return "the given Postgres";
  return keep === undefined ? "an embedded Postgres in memory" : `an embedded Postgres kept in ${keep}`;
}

function describeLoad({ result, clock }: Loaded, seconds: number): string {
  const known = result.unchanged > 0 ? `, ${formatCount(result.unchanged)} were there already` : "";
  const changed = result.changed > 0 ? `, ${formatCount(result.changed)} changed` : "";
  return `${count(result.inserted, "one-minute bar")} ${describeTime(result.inserted, seconds)}${known}${changed}; ` +
    `the clock stands at ${formatTime(new Date(clock))} UTC`;
}

/** `in 2.0 s (512/s)` */
function describeTime(done: number, seconds: number): string {
  return `in ${seconds.toFixed(1)} s (${formatCount(Math.round(done / seconds))}/s)`;
}

/** `1 bar`, `1,200 bars` */
function count(number: number, noun: string): string {
  return `${formatCount(number)} ${noun}${number === 1 ? "" : "s"}`;
}

function timeOfDay(ts: number): string {
  return formatTime(new Date(ts)).slice(11);
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
