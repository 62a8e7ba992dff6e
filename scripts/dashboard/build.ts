import { build, stop } from "esbuild";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../../dashboard/", import.meta.url);

/** Files that are served as they are. */
const STATIC = ["index.html", "dashboard.css"];

/**
 * Builds the dashboard: its static files by name. With `checked` the chart refuses wrong data with an error instead of staying
 * blank. Throws where the source is wrong.
 */
export async function buildDashboard({ checked = false } = {}): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const name of STATIC) files.set(name, await Deno.readFile(new URL(name, FOLDER)));
  try {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL("main.tsx", FOLDER))],
      bundle: true,
      minify: true,
      write: false,
      format: "esm",
      target: "es2022",
      jsx: "automatic",
      jsxImportSource: "preact",
      conditions: [checked ? "development" : "production"],
      define: { "process.env.NODE_ENV": '"production"' },
      legalComments: "eof",
      logLevel: "silent",
    });
    files.set("dashboard.js", new Uint8Array(outputFiles[0]!.contents));
  } finally {
    await stop();
  }
  return files;
}
