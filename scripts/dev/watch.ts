/** An editor saves in several changes. Changes this close together, in milliseconds, count as one. */
const QUIET_MS = 100;

/** Calls `onChange` after each change of a file below `folder`, until the result is disposed of. */
export function watchFolder(folder: string, onChange: () => void): Disposable {
  const watcher = Deno.watchFs(folder);
  let timer: ReturnType<typeof setTimeout> | undefined;
  (async () => {
    for await (const { kind } of watcher) {
      if (kind === "access") continue;
      clearTimeout(timer);
      timer = setTimeout(onChange, QUIET_MS);
    }
  })();
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      watcher.close();
    },
  };
}
