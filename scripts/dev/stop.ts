const SIGNALS: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM", "SIGHUP"];

/** A terminal's Ctrl-C may come twice, once from the terminal and once from `deno task`. */
const SAME_WISH_MS = 1000;

/** Resolves when this process is asked to end. Asked again later, it ends at once, without cleaning up. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    const stop = () => {
      askedAt ??= performance.now();
      if (performance.now() - askedAt > SAME_WISH_MS) Deno.exit(130);
      resolve();
    };
    for (const signal of SIGNALS) Deno.addSignalListener(signal, stop);
  });
}
