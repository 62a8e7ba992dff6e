/**
 * Takes a folder for this process alone, and creates it where it is missing; it is free again when the result is
 * disposed of. Rejects when another process has it (on Windows this goes unnoticed).
 */
export async function lockFolder(folder: string): Promise<Disposable> {
  await Deno.mkdir(folder, { recursive: true });
  if (Deno.build.os === "windows") return { [Symbol.dispose]: () => {} };
  const handle = await Deno.open(folder);
  if (await handle.tryLock(true)) return handle;
  handle.close();
  throw new Error(`${folder} is in use by another process`);
}
