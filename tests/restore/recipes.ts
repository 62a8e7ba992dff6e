import type { Cluster } from "../../scripts/lib/cluster.ts";

const RECIPES = new URL("../../docs/recipes.md", import.meta.url);

/** Runs the shell commands of a chapter of docs/recipes.md, as they stand there, in `folder`. Rejects when one fails. */
export async function runRecipe(
  cluster: Cluster,
  title: string,
  { folder, ...variables }: { folder: string } & Record<string, string>,
): Promise<void> {
  const commands = await readRecipe(title);
  const { success, stderr } = await new Deno.Command("sh", {
    args: ["-e", "-c", commands],
    cwd: folder,
    env: { ...variables, PATH: `${cluster.binDir}:${Deno.env.get("PATH")}` },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** The commands of a chapter, those for the shell or the SQL. */
export async function readRecipe(title: string, language: "sh" | "sql" = "sh"): Promise<string> {
  const chapters = (await Deno.readTextFile(RECIPES)).split(/^## /m);
  const chapter = chapters.find((text) => text.startsWith(`${title}\n`));
  if (chapter === undefined) throw new Error(`docs/recipes.md has no chapter "${title}"`);
  const blocks = chapter.matchAll(/^```(\w+)\n([^]*?)^```$/gm);
  return [...blocks].filter(([, name]) => name === language).map(([, , commands]) => commands).join("\n");
}
