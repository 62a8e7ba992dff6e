import fc from "fast-check";

/** How long a failing input is shrunk. The smallest one found until then is reported. */
const SHRINK_LIMIT_MS = 240_000;

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
  let shrinkUntil = Infinity;
  // A limit for the whole check would fail on a busy machine, so the clock starts with the first failure.
  const predicateUntilLimit = async (...inputs: Inputs) => {
    if (performance.now() > shrinkUntil) return;
    try {
      await predicate(...inputs);
    } catch (error) {
      if (shrinkUntil === Infinity) shrinkUntil = performance.now() + SHRINK_LIMIT_MS;
      throw error;
    }
  };
  await fc.assert(fc.asyncProperty<Inputs>(...arbitraries, predicateUntilLimit), {
    numRuns,
    ...(seed !== undefined && { seed: Number(seed) }),
  });
  return numRuns;
}
