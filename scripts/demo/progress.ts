import process from "node:process";
// @ts-types="@types/cli-progress"
import { Presets, SingleBar } from "cli-progress";

/** A step that is under way. */
export interface Step {
  /** Moves the bar: `done` of the step's `total`, with a few words on what is going on. */
  update(done: number, detail?: string): void;
  /** Ends the step and prints its line for good. */
  end(summary: string): void;
}

/** Prints steps, one line each: with a moving bar on a terminal, only the finished lines elsewhere. */
export class Progress {
  #steps = 0;
  readonly #count: number;
  #bar: SingleBar | undefined;

  /** `count` is the number of steps to come. */
  constructor(count: number) {
    this.#count = count;
  }

  begin(title: string, total: number): Step {
    this.#steps++;
    const label = `${this.#steps}/${this.#count} ${title.padEnd(9)}`;
    this.#bar = process.stdout.isTTY
      ? new SingleBar({
        stream: process.stdout,
        format: `${label} {bar} {percentage}% {detail}`,
        clearOnComplete: true,
        hideCursor: true,
        barsize: 30,
      }, Presets.shades_classic)
      : undefined;
    const bar = this.#bar;
    bar?.start(total, 0, { detail: "" });
    return {
      update: (done, detail = "") => bar?.update(Math.min(done, total), { detail }),
      end: (summary) => {
        bar?.stop();
        console.log(`${label} ${summary}`);
      },
    };
  }

  /** Takes the bar of an unfinished step away and gives the terminal its cursor back. */
  stop(): void {
    this.#bar?.stop();
  }
}
