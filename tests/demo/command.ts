import { HOUR, MINUTE } from "../../cli/lib/import/bar.ts";
import type { TaskRow } from "../../scripts/demo/report.ts";
import { type Database, openEmbedded } from "../../scripts/lib/database.ts";

export const project = new URL("../../", import.meta.url);

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the demo with its output piped, as wide as no line needs to break. */
export function demo(...args: string[]): Promise<Outcome> {
  return demoIn({ COLUMNS: "200" }, ...args);
}

export async function demoIn(env: Record<string, string>, ...args: string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "demo", ...args],
    cwd: project,
    env,
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

export async function inspect<T>(keep: string, look: (db: Database) => Promise<T>): Promise<T> {
  const db = await openEmbedded(keep);
  try {
    return await look(db);
  } finally {
    await db.close();
  }
}

/** The printed table as rows of text, by `symbol timeframe`. */
export function printedTable(stdout: string): Map<string, string[]> {
  const rows = stdout.split("\n").map((line) => line.trim().split(/ {2,}/)).filter((row) => row.length === 12);
  return new Map(rows.map((row) => [`${row[0]} ${row[1]}`, row]));
}

/** Counts by quality of the 5m and 1h bars that belong to these minutes, worked out from the rule alone. */
export function expectedBars(minutes: Iterable<number>, fiveMinuteEnd = Infinity, hourEnd = Infinity) {
  const quality = (covered: number, expected: number) =>
    covered === expected ? 2 : covered * 10 >= expected * 8 ? 1 : 0;
  const perFive = new Map<number, number>();
  for (const ts of minutes) {
    const window = ts - ts % (5 * MINUTE);
    if (window < fiveMinuteEnd) perFive.set(window, (perFive.get(window) ?? 0) + 1);
  }
  const perHour = new Map<number, number>();
  const fives = [0, 0, 0];
  for (const [window, covered] of perFive) {
    if (covered >= 3) fives[quality(covered, 5)]!++;
    const hour = window - window % HOUR;
    if (hour < hourEnd) perHour.set(hour, (perHour.get(hour) ?? 0) + covered);
  }
  const hours = [0, 0, 0];
  for (const covered of perHour.values()) if (covered >= 36) hours[quality(covered, 60)]!++;
  return { "5m": fives, "1h": hours };
}

export const qualities = (task: TaskRow) => [task.poor, task.good, task.excellent];
