import assert from "node:assert/strict";

/** What psql prints for some SQL, in UTC. Throws where a statement fails. */
export async function psql(url: string, binDir: string, sql: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(`${binDir}/psql`, {
    args: [
      "--no-psqlrc",
      "--quiet",
      "--set=ON_ERROR_STOP=1",
      `--dbname=${url}`,
      "--command=set timezone to 'UTC'",
      `--command=${sql}`,
    ],
  }).output();
  assert.ok(success, `${sql}\n${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** A fenced block of a page, and what stands before it up to the block before. */
export interface Block {
  language: string;
  text: string;
  before: string;
}

export function readBlocks(page: string): Block[] {
  let end = 0;
  return [...page.matchAll(/^( *)```(\w*)\n([^]*?)^ *```$/gm)].map((match) => {
    const [whole, indent, language, text] = match as unknown as [string, string, string, string];
    const before = page.slice(end, match.index);
    end = match.index + whole.length;
    return { language, text: text.replace(new RegExp(`^${indent}`, "gm"), ""), before };
  });
}

export const withoutSpaceAtEnds = (text: string) => text.split("\n").map((line) => line.trimEnd()).join("\n");
