import { Help } from "commander";
import stringWidth from "string-width";

/** The columns to print in: those of the terminal, COLUMNS where it is set, and 80 where the output is no terminal. */
export function outputWidth(): number {
  const set = Number(Deno.env.get("COLUMNS"));
  if (Number.isInteger(set) && set > 0) return set;
  return Deno.stdout.isTerminal() && Deno.consoleSize().columns || 80;
}

/** Prints a sentence in lines that fit, the first one behind `label`, the others under it. */
export function say(sentence: string, label = ""): void {
  const lines = new Help().boxWrap(sentence, outputWidth() - label.length).split("\n");
  console.log(label + lines.join(`\n${" ".repeat(label.length)}`));
}

/** A table in plain text, its columns as wide as what they hold. A column is aligned to the right where `rightAligned` says so. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  rightAligned: readonly boolean[] = [],
): string {
  const widths = head.map((name) => stringWidth(name));
  for (const row of rows) row.forEach((cell, index) => widths[index] = Math.max(widths[index]!, stringWidth(cell)));
  const pad = (cell: string, index: number) => {
    const space = " ".repeat(widths[index]! - stringWidth(cell));
    return rightAligned[index] ? space + cell : cell + space;
  };
  return [head, ...rows].map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}

/** A value of a query as text. A time is in UTC; a line break would break a table. */
export function formatValue(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  const text = value !== null && typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.replace(/[\n\r\t]/g, " ");
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** `2025-09-22 13:00`, in UTC. */
export function formatTime(time: Date): string {
  return time.toISOString().slice(0, 16).replace("T", " ");
}
