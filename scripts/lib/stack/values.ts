/** A timestamp as Postgres writes it into JSON, and so as PostgREST answers it, from what it writes as text. */
function toJsonTimestamp(text: string): string {
  return text.replace(" ", "T").replace(/([+-]\d\d)( BC)?$/, "$1:00$2");
}

/** A number as PostgREST answers it: NaN and the infinities are text. */
function toJsonNumber(text: string): number | string {
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}

/** How to read the types that Lite would answer otherwise than PostgREST. */
export const READERS = {
  float4: { oid: 700, read: toJsonNumber },
  float8: { oid: 701, read: toJsonNumber },
  numeric: { oid: 1700, read: toJsonNumber },
  timestamp: { oid: 1114, read: toJsonTimestamp },
  timestamptz: { oid: 1184, read: toJsonTimestamp },
};

/** A value for a column or an argument of type boolean, in any spelling that Postgres reads. */
export const toBooleanParameter = String;

/**
 * A value for a column or an argument of type json. Lite gives the argument of a function as JSON text already, and the
 * value of a column as it is; text that begins as an array or an object does is taken for the former.
 */
export function toJsonParameter(value: unknown): string {
  return typeof value === "string" && /^[[{]/.test(value) ? value : JSON.stringify(value);
}
