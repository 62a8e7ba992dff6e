import process from "node:process";

/** Tells what starting does: on a terminal in one line that moves, elsewhere in a line a step. */
export interface Steps extends Disposable {
  begin(step: string): void;
  /** What the step is at. Shown on a terminal alone. */
  update(detail: string): void;
  /** Takes the moving line away. */
  end(): void;
}

const ERASE_LINE = "\r\x1b[K";

export function showSteps(): Steps {
  const isMoving = process.stdout.isTTY && !Deno.noColor;
  const began = performance.now();
  let current = "";
  const move = (line: string) => isMoving && process.stdout.write(`${ERASE_LINE}${line}`.slice(0, 80));
  const end = () => {
    move("");
    current = "";
  };
  return {
    begin(step) {
      current = step;
      if (isMoving) move(`${step} ...`);
      else console.log(`${step} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    },
    update: (detail) => void move(`${current}: ${detail}`),
    end,
    [Symbol.dispose]: () => {
      if (current !== "") end();
    },
  };
}
