import assert from "node:assert/strict";

/** Statements by name, each of which a test must ask for. */
export interface Statements {
  /** The text of the statement. Throws where the file has no such statement. */
  get(name: string): string;
  /** Throws where a statement was not asked for. */
  assertAllUsed(): void;
}

/** Reads a file of this folder, in which each statement stands below a line `-- name: ...`. */
export async function readStatements(file: string): Promise<Statements> {
  const text = await Deno.readTextFile(new URL(file, import.meta.url));
  const statements = new Map(
    text.split(/^-- name: /m).slice(1).map((part) => {
      const [name, ...lines] = part.split("\n");
      return [name!, lines.join("\n").trim()] as const;
    }),
  );
  const used = new Set<string>();
  return {
    get(name) {
      const statement = statements.get(name);
      assert.ok(statement, `${file} has no statement ${name}`);
      used.add(name);
      return statement;
    },
    assertAllUsed: () => assert.deepEqual([...statements.keys()].filter((name) => !used.has(name)), []),
  };
}
