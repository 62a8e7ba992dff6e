import process from "node:process";
// @ts-types="@types/cli-progress"
import { Presets, SingleBar } from "cli-progress";
import { printProgress } from "./output.ts";

/** Shows on standard error how far some work is: a moving bar on a terminal, elsewhere a line every ten seconds. */
export interface Progress {
  /** `share` of the work is done, from 0 to 1, and `count` rows with it. */
  update(share: number, count: number): void;
  stop(): void;
}

const LINE_EVERY_MS = 10_000;

/** `what` is counted, such as `bars`. */
export function startProgress(what: string): Progress {
  const start = performance.now();
  const describe = (share: number, count: number) => {
    const seconds = Math.max(0.001, (performance.now() - start) / 1000);
    const left = share > 0 ? formatSeconds(seconds / share - seconds) : "?";
    const rate = Math.round(count / seconds).toLocaleString("en-US");
    return `${Math.floor(share * 100)} %, ${count.toLocaleString("en-US")} ${what}, ${rate}/s, ${left} left`;
  };
  if (process.stderr.isTTY) {
    const bar = new SingleBar({
      ...{ stream: process.stderr, format: "{bar} {text}", clearOnComplete: true },
      // Nothing to restore, whatever ends the process.
      ...{ hideCursor: false, linewrap: true, barsize: 30 },
    }, Presets.shades_classic);
    bar.start(1, 0, { text: "" });
    return {
      update: (share, count) => bar.update(Math.min(1, share), { text: describe(Math.min(1, share), count) }),
      stop: () => bar.stop(),
    };
  }
  let last = start;
  return {
    update: (share, count) => {
      if (performance.now() - last < LINE_EVERY_MS) return;
      last = performance.now();
      printProgress(describe(Math.min(1, share), count));
    },
    stop: () => {},
  };
}

function formatSeconds(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${Math.ceil(seconds)} s` : `${minutes} min ${Math.floor(seconds % 60)} s`;
}
