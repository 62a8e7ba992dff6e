const TIMESTAMPTZ = /^(\d+-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d)(:\d\d)?/;

/** A timestamptz as Postgres writes it into JSON, and so as PostgREST answers it, from what Postgres writes as text. */
export function toJsonTimestamp(text: string): string {
  return text.replace(TIMESTAMPTZ, (_, date, time, minutes = ":00") => `${date}T${time}${minutes}`);
}
