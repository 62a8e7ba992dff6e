import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Polled<Data> {
  /** The last answer; it stays where a later call fails. */
  data: Data | null;
  /** When it came. */
  at: Date | null;
  /** Why the last call failed; null where it did not. */
  error: unknown;
  /** Calls again at once. */
  refresh(): void;
}

/** The wait is at least so many times as long as the call took, so that a busy database is asked less. */
const REST = 8;

/**
 * Calls `read` at once, and again `everyMs` after each answer while the page is visible. `read` must stay the same function
 * for as long as its answers are about the same; another one begins without data.
 */
export function usePoll<Data>(read: () => Promise<Data>, everyMs: number): Polled<Data> {
  const [state, setState] = useState<{ read: unknown; data: Data | null; at: Date | null; error: unknown }>(
    { read, data: null, at: null, error: null },
  );
  const wake = useRef<() => void>(() => {});
  useEffect(() => {
    let ended = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let busy = false;
    const run = async () => {
      if (busy || ended || document.hidden) return;
      clearTimeout(timer);
      busy = true;
      const begin = performance.now();
      try {
        const data = await read();
        if (!ended) setState({ read, data, at: new Date(), error: null });
      } catch (error) {
        if (!ended) setState((last) => last.read === read ? { ...last, error } : { read, data: null, at: null, error });
      }
      busy = false;
      if (!ended) timer = setTimeout(run, Math.max(everyMs, REST * (performance.now() - begin)));
    };
    wake.current = run;
    run();
    document.addEventListener("visibilitychange", run);
    addEventListener("online", run);
    return () => {
      ended = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", run);
      removeEventListener("online", run);
    };
  }, [read, everyMs]);
  const refresh = useCallback(() => wake.current(), []);
  return state.read === read ? { ...state, refresh } : { data: null, at: null, error: null, refresh };
}
