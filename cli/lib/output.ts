import process from "node:process";

/** Options of every command. */
export interface OutputOptions {
  json?: boolean;
}

/** Prints the result on standard output: `value` as one line of JSON with --json, otherwise `text`. */
export function printResult({ json }: OutputOptions, value: unknown, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
}

/** Prints a line about work under way on standard error, also with --json. */
export function printProgress(line: string): void {
  process.stderr.write(`${line}\n`);
}
