/** Asks every few milliseconds until the answer is true. Rejects after `seconds`. */
export async function waitUntil(condition: () => Promise<boolean>, seconds = 20): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`the condition was still false after ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
