/** How much of a URL the symbols of one request may take, in bytes; the rest of it stays below one more KiB. */
const URL_BYTES = 5 * 1024;

/** A value as PostgREST takes it in a list, whatever is in it; what supabase-js makes of one itself escapes no quote. */
export function quote(value: string): string {
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}

/** Splits symbols, in their order, into groups of at most `size` that fit into a URL; a symbol that fits into none is alone. */
export function groupSymbols(symbols: readonly string[], size: number): string[][] {
  const groups: string[][] = [];
  let bytes = 0;
  for (const symbol of symbols) {
    const length = new URLSearchParams({ "": `${quote(symbol)},` }).toString().length;
    const group = groups.at(-1);
    if (group !== undefined && group.length < size && bytes + length <= URL_BYTES) {
      group.push(symbol);
      bytes += length;
    } else {
      groups.push([symbol]);
      bytes = length;
    }
  }
  return groups;
}
