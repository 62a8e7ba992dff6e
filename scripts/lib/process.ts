export interface RunOptions {
  env?: Record<string, string>;
  /** The folder to run in. When absent, that of this process. */
  cwd?: string;
  /** Text for standard input; empty when absent. */
  input?: string;
  /** After this many milliseconds the program counts as hung and is killed; TIME_LIMIT_MS when absent. */
  timeLimitMs?: number;
}

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
  /** The command line, standard output and standard error, for a reader. */
  report: string;
}

/** The time limit of a program that is given no other. */
export const TIME_LIMIT_MS = 9 * 60_000;

/** Runs a program to its end without colours. Rejects when it cannot be started. */
export async function run(program: string, args: string[], options: RunOptions = {}): Promise<RunResult> {
  const child = new Deno.Command(program, {
    args,
    env: { NO_COLOR: "1", ...options.env },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(options.timeLimitMs ?? TIME_LIMIT_MS),
  }).spawn();
  const [stdout, stderr, { code }] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.status,
    feed(child.stdin, options.input ?? ""),
  ]);
  const report = [`$ ${[program, ...args].join(" ")}`, stdout, stderr, `(exit status ${code})`]
    .map((part) => part.trim()).filter(Boolean).join("\n");
  return { code, stdout, stderr, report };
}

async function feed(stdin: WritableStream<Uint8Array>, input: string): Promise<void> {
  try {
    await new Response(input).body?.pipeTo(stdin);
  } catch (error) {
    // A program may end without reading its input. Its exit status tells whether that is a failure.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
