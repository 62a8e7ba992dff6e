import type { Handler } from "./gateway.ts";

/** Parameters of a request that are not filters. */
const NO_FILTERS = new Set(["select", "columns", "order", "on_conflict"]);

const ONE_VALUE = /^((?:not\.)?(?:eq|neq|gt|gte|lt|lte|match|imatch|isdistinct)\.)(.*)$/s;
const LIST = /^((?:not\.)?in\.\()(.+)\)$/s;
const ELEMENT = /(^|,)("(?:\\.|[^"\\])*"|[^,]*)/g;

/**
 * Makes Lite read the values of filters as PostgREST does, which leaves them to the type of the column. Lite takes quotes
 * off a single value, and reads `TRUE`, `NULL` and `1.50` as a boolean, null and a number. It takes a value in quotes as it
 * is, so each value is put into quotes here. The conditions inside `or=(...)` and `and=(...)` stay as they are.
 */
export function quoteFilters(dataApi: Handler): Handler {
  return (request) => {
    const url = new URL(request.url);
    if (!url.pathname.startsWith("/rest/v1/")) return dataApi(request);
    const quoted = [...url.searchParams].map(([name, value]) => [name, NO_FILTERS.has(name) ? value : quote(value)]);
    url.search = new URLSearchParams(quoted).toString();
    return dataApi(new Request(url, request));
  };
}

function quote(filter: string): string {
  const [, operator, value] = ONE_VALUE.exec(filter) ?? [];
  if (operator !== undefined) return `${operator}"${value}"`;
  const [, start, list] = LIST.exec(filter) ?? [];
  if (list === undefined) return filter;
  const quoteElement = (_: string, comma: string, element: string) =>
    comma + (element.startsWith('"') ? element : `"${element.replace(/["\\]/g, "\\$&")}"`);
  return `${start}${list.replace(ELEMENT, quoteElement)})`;
}
