/** What went wrong, in the words of whatever was thrown. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the server refused, and on a line of its own what it advises. */
export function describeRefusal(error: unknown): string {
  const hint = error instanceof Error && "hint" in error ? error.hint : undefined;
  return hint ? `${describeError(error)}\n${hint}` : describeError(error);
}
