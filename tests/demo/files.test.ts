import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { listFiles } from "../../scripts/demo/files.ts";
import { withFolder } from "./command.ts";

Deno.test("listFiles() lists what may hold bars, and rejects a folder that is missing or holds nothing of it", async () => {
  await assert.rejects(listFiles("no/such/folder"), /there is no such folder/);
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "notes.md"), "hello");
    await assert.rejects(listFiles(folder), /has no \.csv, \.txt, \.tsv or \.zip file/);
    for (const name of ["b.csv.gz", "a.csv", "c.zip", "d.TXT"]) await Deno.writeTextFile(join(folder, name), "");
    assert.deepEqual((await listFiles(folder)).map((path) => basename(path)), ["a.csv", "b.csv.gz", "c.zip", "d.TXT"]);
  });
});
