import fc from "fast-check";

/** A run that takes longer, because it shrinks a failure, stops there and reports the smallest one it has. */
const TIME_LIMIT_MS = 240_000;

/** What a history may take where more of them are asked for. */
const RUN_TIME_LIMIT_MS = 1000;

/**
 * Checks a property on `runs` random inputs, or on as many as the environment variable PGBARS_RUNS says (`--runs` of the
 * test command), and returns how many. On failure it rejects with the seed, the path and the smallest input found;
 * PGBARS_SEED repeats a run.
 */
export async function checkProperty<Inputs extends [unknown, ...unknown[]]>(
  runs: number,
  arbitraries: { [Key in keyof Inputs]: fc.Arbitrary<Inputs[Key]> },
  predicate: (...inputs: Inputs) => Promise<void>,
): Promise<number> {
  const numRuns = Number(Deno.env.get("PGBARS_RUNS") ?? runs);
  if (!Number.isInteger(numRuns) || numRuns < 1) throw new RangeError("PGBARS_RUNS must be a whole number above 0");
  const seed = Deno.env.get("PGBARS_SEED");
  await fc.assert(fc.asyncProperty<Inputs>(...arbitraries, predicate), {
    numRuns,
    interruptAfterTimeLimit: TIME_LIMIT_MS + Math.max(0, numRuns - runs) * RUN_TIME_LIMIT_MS,
    markInterruptAsFailure: true,
    ...(seed !== undefined && { seed: Number(seed) }),
  });
  return numRuns;
}
