import assert from "node:assert/strict";
import { FIELDS, FORMATS } from "../../cli/lib/import/formats.ts";
import { COLUMNS } from "../../cli/lib/export/row.ts";

/** The rows of the tables of a page, as their cells. */
async function readTables(page: string): Promise<string[][]> {
  const text = await Deno.readTextFile(new URL(`../../docs/${page}`, import.meta.url));
  return text.split("\n").filter((line) => line.startsWith("|")).map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
}

Deno.test("docs/import.md lists every format, in the order in which they are tried, with its zone", async () => {
  const rows = await readTables("import.md");
  const names = FORMATS.map(({ name }) => `\`${name}\``);
  assert.deepEqual(rows.map(([name]) => name!).filter((name) => names.includes(name)), names);
  for (const { name, zone } of FORMATS) {
    const [, , stated] = rows.find(([first]) => first === `\`${name}\``)!;
    if (zone !== undefined) assert.equal(stated, zone, name);
    else assert.ok(["`--zone`", "epoch", "in the time"].includes(stated!), `${name}: ${stated}`);
  }
});

Deno.test("docs/import.md lists the fields of --map, and docs/export.md the columns of every file", async () => {
  const [, option] = (await readTables("import.md")).find(([what]) => what === "what a column holds")!;
  assert.match(option!, new RegExp(`Fields: ${FIELDS.join(", ")}$`));
  const listed = (await readTables("export.md")).flatMap(([names]) => names!.match(/`\w+`/g) ?? []);
  const left = COLUMNS.filter((name) => !["high", "low"].includes(name)).map((name) => `\`${name}\``);
  assert.deepEqual(listed, left);
  const page = await Deno.readTextFile(new URL("../../docs/export.md", import.meta.url));
  for (const name of COLUMNS) assert.ok(page.includes(`'${name}': '`), `the types for DuckDB lack ${name}`);
});
