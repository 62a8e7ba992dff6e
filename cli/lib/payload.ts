import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { Failure } from "./failure.ts";
import { readMigrationFiles } from "./migrations.ts";
import { type Release, splitReleases } from "./releases.ts";

/** What `deno task payload` writes and the package brings: `releases` and `functions`. */
const FOLDER = new URL("../payload/", import.meta.url);

/** An Edge Function as the platform takes it: its files by name, `index.ts` among them. */
export interface EdgeFunction {
  name: string;
  files: Record<string, string>;
}

/** The releases that this program brings, oldest first. */
export async function readReleases(): Promise<Release[]> {
  return splitReleases(await readMigrationFiles(partOf("releases/")));
}

/** The Edge Functions of the newest release. */
export async function readFunctions(): Promise<EdgeFunction[]> {
  const folder = partOf("functions/");
  const names = (await readdir(folder)).sort();
  return await Promise.all(names.map(async (name) => {
    const path = new URL(`${name}/`, folder);
    const files = (await readdir(path)).sort();
    const texts = await Promise.all(files.map((file) => readFile(new URL(file, path), "utf8")));
    return { name, files: Object.fromEntries(files.map((file, index) => [file, texts[index]!])) };
  }));
}

function partOf(name: string): URL {
  const part = new URL(name, FOLDER);
  if (!existsSync(part)) throw new Failure("The folder cli/payload is missing: `deno task payload` writes it.");
  return part;
}
