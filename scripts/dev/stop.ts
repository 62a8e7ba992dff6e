const SIGNALS: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM", "SIGHUP"];

/** One Ctrl-C may arrive twice, from the terminal and from `deno task`. Signals this close together count as one. */
const SAME_SIGNAL_MS = 1000;

/** Resolves when this process gets a signal to end. A later second signal ends it at once, without cleaning up. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    const stop = () => {
      askedAt ??= performance.now();
      if (performance.now() - askedAt > SAME_SIGNAL_MS) Deno.exit(130);
      resolve();
    };
    for (const signal of SIGNALS) Deno.addSignalListener(signal, stop);
  });
}
