/** An editor's save is several changes; those within so many milliseconds of each other count as one. */
const QUIET_MS = 100;

/** Calls `onChange` after each change of a file below `folder`, one call at a time, until it is disposed of. */
export function watchFolder(folder: string, onChange: () => Promise<void>): Disposable {
  const watcher = Deno.watchFs(folder);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = Promise.resolve();
  (async () => {
    for await (const { kind } of watcher) {
      if (kind === "access") continue;
      clearTimeout(timer);
      timer = setTimeout(() => last = last.then(onChange), QUIET_MS);
    }
  })();
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      watcher.close();
    },
  };
}
