/** Bytes that the symbols of one request may take in its URL. The rest of the URL is shorter than 1 KiB. */
const URL_BYTES = 5 * 1024;

/** A value as PostgREST takes it in a list. supabase-js does not escape quotes in such values. */
export function quote(value: string): string {
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}

/** Splits symbols, in their order, into groups of at most `size` that fit into a URL. A longer symbol is a group of its own. */
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
