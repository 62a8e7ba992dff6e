import { readSchemas } from "./lib/schemas.ts";

/** Objects of supabase/schemas by name, with their room and the objects that they name. */
interface SchemaObject {
  room: string;
  uses: Set<string>;
}

const objects = new Map<string, SchemaObject>();
for (const { path, sql } of await readSchemas()) {
  const [room, file] = path.split("/");
  if (room === undefined || file === undefined) continue;
  const code = sql.replaceAll(/--.*$/gm, "").replaceAll(/^comment on (?:'(?:[^']|'')*'|[^';])*;$/gm, "");
  const defined = [...code.matchAll(/^create (?:table|view|type|function) (?:agg|public)\.(\w+)/gm)].map((match) =>
    match[1]!
  );
  const named = [...code.matchAll(/\b(?:agg|public)\.(\w+)/g)].map((match) => match[1]!);
  for (const name of defined) objects.set(name, { room, uses: new Set(named.filter((other) => other !== name)) });
}

let inside = 0;
const between = new Map<string, number>();
for (const { room, uses } of objects.values()) {
  for (const name of uses) {
    const other = objects.get(name)?.room;
    if (other === room) inside++;
    else if (other !== undefined) between.set(`${room} -> ${other}`, (between.get(`${room} -> ${other}`) ?? 0) + 1);
  }
}

const pairs = new Set([...between.keys()].map((arrow) => arrow.split(" -> ").sort().join(" - ")));
const sum = [...between.values()].reduce((total, count) => total + count, 0);
console.log(`${objects.size} objects in ${new Set([...objects.values()].map(({ room }) => room)).size} rooms`);
console.log(
  `${inside} references inside rooms, ${sum} between rooms, ${pairs.size} pairs of rooms that know each other`,
);
for (const [arrow, count] of [...between].sort((a, b) => b[1] - a[1])) console.log(`  ${arrow.padEnd(32)}${count}`);
