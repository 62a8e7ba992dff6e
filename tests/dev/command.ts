import { fileURLToPath } from "node:url";
import { waitUntil } from "../support/wait.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));

/** `deno task dev` in a process of its own. */
export interface Dev {
  /** What it has printed so far. */
  readonly output: { stdout: string; stderr: string };
  /** Resolves when one of both streams holds the text. */
  printed(stream: "stdout" | "stderr", text: string): Promise<void>;
  /** Its exit code, when it and every process that it started have ended. */
  readonly ended: Promise<number>;
  /** Asks it to end, by default with SIGTERM, and waits for it. Idempotent. */
  stop(signal?: Deno.Signal): Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function dev(args: string[], env: Record<string, string> = {}): Dev {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "dev", ...args],
    cwd: project,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = { stdout: "", stderr: "" };
  // A stream ends when the last process that writes to it has ended.
  const collect = async (stream: "stdout" | "stderr") => {
    for await (const text of process[stream].pipeThrough(new TextDecoderStream())) output[stream] += text;
  };
  let running = true;
  const ended = Promise.all([process.status, collect("stdout"), collect("stderr")]).then(([{ code }]) => {
    running = false;
    return code;
  });
  const stop = (signal: Deno.Signal = "SIGTERM") => {
    if (running) process.kill(signal);
    return ended;
  };
  return {
    output,
    printed: (stream, text) =>
      waitUntil(() => {
        if (output[stream].includes(text)) return Promise.resolve(true);
        if (running) return Promise.resolve(false);
        throw new Error(`it ended before it printed "${text}": ${output.stdout}${output.stderr}`);
      }, 120),
    ended,
    stop,
    [Symbol.asyncDispose]: async () => void await stop(),
  };
}

/** Starts it on a free port, and resolves with the URL and keys that it prints when all of it runs. */
export async function startDev(
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<Dev & { url: string; publishable: string; secret: string }> {
  const started = dev(["--port", "0", ...args], env);
  await started.printed("stdout", "Ctrl-C ends everything");
  const find = (pattern: RegExp) => pattern.exec(started.output.stdout)![1]!;
  return {
    ...started,
    url: find(/(http:\/\/127\.0\.0\.1:\d+)/),
    publishable: find(/^ +publishable +(\S+)/m),
    secret: find(/^ +secret +(\S+)/m),
  };
}
