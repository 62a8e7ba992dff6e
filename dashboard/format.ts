/** The time zone in which the page shows times. */
export type Zone = "UTC" | "local";

/** How the zone is called. */
export function zoneName(zone: Zone): string {
  return zone === "UTC" ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

const cache = new Map<string, Intl.DateTimeFormat>();

/** A formatter of the parts that `options` names, in English, with 24 hours. */
export function dateFormat(zone: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const id = zone + JSON.stringify(options);
  let format = cache.get(id);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      hourCycle: "h23",
      ...(zone === "UTC" && { timeZone: "UTC" }),
      ...options,
    });
    cache.set(id, format);
  }
  return format;
}

/** `2026-11-28 23:40`, with seconds where asked for. */
export function formatTime(instant: Date, zone: Zone, seconds = false): string {
  const parts = Object.fromEntries(
    dateFormat(zone, {
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    }).formatToParts(instant).map(({ type, value }) => [type, value]),
  );
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}${seconds ? `:${parts.second}` : ""}`;
}

const UNITS = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]] as const;

/** The largest unit, and the next one where the first has one digit: `3d`, `2h 5min`, `12min`, `40s`. A minute is not `m`, which is
 * a timeframe here. */
export function formatDuration(seconds: number): string {
  const place = UNITS.findIndex(([, length]) => seconds >= length);
  if (place < 0) return "0s";
  const [unit, length] = UNITS[place]!;
  const whole = Math.floor(seconds / length);
  const next = UNITS[place + 1];
  const rest = next === undefined ? 0 : Math.floor((seconds - whole * length) / next[1]);
  return `${whole}${unit}${whole < 10 && rest > 0 && length > 60 ? ` ${rest}${next![0]}` : ""}`;
}

/** The seconds of an interval as PostgreSQL prints it: `1 day 02:03:04.5`. */
export function secondsOf(interval: string): number {
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] =
    /^(?:(-?\d+) days? ?)?(?:(\d+):(\d+):([\d.]+))?$/.exec(interval) ?? [];
  return Number(days) * 86_400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

const UNIT_SECONDS: Record<string, number> = { m: 60, h: 3600, d: 86_400, w: 604_800 };

/** The usual length of a window. */
export function secondsOfTimeframe(timeframe: string): number {
  return parseInt(timeframe) * (UNIT_SECONDS[timeframe.at(-1)!] ?? 60);
}

/** A volume in three to four digits: `1.25M`. */
export function formatVolume(value: number): string {
  return Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 }).format(value);
}

/** How many decimals prices have: as many as one of them needs, but no more than seven digits have; at least two. */
export function decimalsOf(prices: readonly number[]): number {
  const largest = Math.max(...prices.map(Math.abs), 1e-6);
  const most = Math.min(10, Math.max(2, 6 - Math.floor(Math.log10(largest))));
  const needed = prices.map((price) => price.toFixed(most).replace(/0+$/, "").split(".")[1]?.length ?? 0);
  return Math.max(2, ...needed);
}

/** Text of the database with its instants, such as `2026-11-28 23:55:00.701+00`, in a zone and to the minute. */
export function localize(text: string, zone: Zone): string {
  return text.replace(
    /\b(\d{4}-\d\d-\d\d) (\d\d:\d\d):\d\d(?:\.\d+)?\+00\b/g,
    (_, day, time) => formatTime(new Date(`${day}T${time}Z`), zone),
  );
}
