import process from "node:process";
// @ts-types="@types/cli-progress"
import { Presets, SingleBar } from "cli-progress";
import { say } from "./text.ts";

/** A step that is under way. */
export interface Step {
  /** Moves the bar: `done` of the step's `total`, with a few words on what is going on. */
  update(done: number, detail?: string): void;
  /** Ends the step and prints what came of it, for good. */
  end(...summary: string[]): void;
}

/** Prints steps: with a moving bar on a terminal, only the finished lines elsewhere and where NO_COLOR is set. */
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
    this.#bar = process.stdout.isTTY && !Deno.noColor
      ? new SingleBar({
        stream: process.stdout,
        format: `${label} {bar} {percentage}% {detail}`,
        clearOnComplete: true,
        // Cursor and line wrapping stay as they are, so that there is nothing to restore whatever ends the process.
        hideCursor: false,
        linewrap: true,
        barsize: 30,
      }, Presets.shades_classic)
      : undefined;
    const bar = this.#bar;
    bar?.start(total, 0, { detail: "" });
    return {
      update: (done, detail = "") => bar?.update(Math.min(done, total), { detail }),
      end: (summary, ...more) => {
        bar?.stop();
        say(summary, `${label} `);
        for (const line of more) this.add(line);
      },
    };
  }

  /** Prints one more thing about the step that has ended. */
  add(line: string): void {
    say(line, " ".repeat(14));
  }

  /** Takes the bar of an unfinished step away. */
  stop(): void {
    this.#bar?.stop();
  }
}
