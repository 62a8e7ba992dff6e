/** Turns a timestamp in the text form of Postgres into its JSON form, which PostgREST answers. */
function toJsonTimestamp(text: string): string {
  return text.replace(" ", "T").replace(/([+-]\d\d)( BC)?$/, "$1:00$2");
}

/** Turns a number in the text form of Postgres into the form that PostgREST answers: NaN and the infinities are text. */
function toJsonNumber(text: string): number | string {
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}

/** Readers of the types that Lite answers otherwise than PostgREST. */
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
 * A value for a column or an argument of type json. Lite gives arguments of functions as JSON text, and values of columns
 * unchanged. Text that begins like an array or an object is taken for JSON text.
 */
export function toJsonParameter(value: unknown): string {
  return typeof value === "string" && /^[[{]/.test(value) ? value : JSON.stringify(value);
}
