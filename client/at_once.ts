/**
 * Does `work` for each item, for `limit` of them at a time. Rejects with the first failure, after the others under way
 * have ended, whose `signal` is aborted.
 */
export async function forEachAtOnce<Item>(
  items: readonly Item[],
  limit: number,
  work: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const waiting = items.values();
  const takeItems = async () => {
    for (const item of waiting) {
      if (failure.signal.aborted) return;
      await work(item, failure.signal);
    }
  };
  const workers = Array.from({ length: limit }, takeItems);
  try {
    await Promise.all(workers);
  } catch (error) {
    failure.abort();
    await Promise.allSettled(workers);
    throw error;
  }
}
