const SIGNALS: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM", "SIGHUP"];

/** Resolves when this process is asked to end. Asked again, it ends at once, without cleaning up. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = () => {
      if (asked) Deno.exit(130);
      asked = true;
      resolve();
    };
    for (const signal of SIGNALS) Deno.addSignalListener(signal, stop);
  });
}
