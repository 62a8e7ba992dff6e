/**
 * Does `work` for each item, for `limit` items at a time. On the first failure it aborts the `signal` of the others, waits
 * for them to end, and rejects with that failure.
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
