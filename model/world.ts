import { type AssetRules, type DerivedTimeframe, MIDNIGHT_UTC, MINUTE } from "./aggregator.ts";
import { ORIGIN } from "./histories.ts";
import { type Calendar, PRESETS, type Session } from "./session.ts";

export const SYMBOLS: readonly Symbol[] = ["A", "B", "C"];
/** The symbols that have bars of their own; X is a basket of them. */
export type Symbol = "A" | "B" | "C";
export const BASKET = "X";
export type AnySymbol = Symbol | typeof BASKET;

/** The assets of a history, all of which aggregate from the same instant. */
export interface World {
  /** Minutes from ORIGIN to the start of aggregation. */
  startMinute: number;
  basket: { components: Symbol[]; version: 1 | 2 };
  /** Whether C is switched off at the start, which makes it a component without tasks. */
  bareComponent: boolean;
  /** What every asset has beside the mandatory timeframes at the start. */
  optional: DerivedTimeframe[];
  /** A symbol of which one minute in five has a bar where others have all of them. */
  thin: Symbol | null;
  /** A symbol of which every minute makes a bar. */
  sparse: Symbol | null;
  /** A symbol that is not traded all the time, and where. */
  market: { symbol: Symbol; name: keyof typeof MARKETS } | null;
  /** Whether there are bars again long after the history, so that all windows before are decided. */
  endsLater: boolean;
}

/** Of which the registry says nothing but how the basket is made. */
export const PLAIN_WORLD: World = {
  startMinute: 0,
  basket: { components: ["A", "B", "C"], version: 1 },
  bareComponent: false,
  optional: [],
  thin: null,
  sparse: null,
  market: null,
  endsLater: false,
};

/** Sessions with a break, and an exception, in the first hours after ORIGIN; and sessions that a name stands for. */
export const MARKETS = {
  kolkata: {
    session: {
      time_zone: "Asia/Kolkata",
      weekly: [{ open: "Mon 06:07", close: "Mon 11:02" }, { open: "Mon 12:00", close: "Sat 03:00" }],
    },
    calendar: {
      name: "test_kolkata",
      timeZone: "Asia/Kolkata",
      dayStart: "00:00",
      days: [
        { day: "2025-10-27", kind: "late_opening", opensAt: "07:00" },
        { day: "2025-10-27", kind: "special_opening", opensAt: "11:10", closesAt: "11:41" },
        { day: "2025-10-29", kind: "closed" },
      ],
    },
    day_close: { time: "00:00", time_zone: "Asia/Kolkata" },
  },
  newYork: { session: "fx", calendar: null, day_close: { time: "17:00", time_zone: "America/New_York" } },
} as const satisfies Record<string, {
  session: Session | keyof typeof PRESETS;
  calendar: Calendar | null;
  day_close: AssetRules["dayClose"];
}>;

/** The start of aggregation as `metadata.agg.start_utc` has it. */
export function startText(startMinute: number): string {
  return new Date(ORIGIN + startMinute * MINUTE).toISOString();
}

/** `metadata.agg` of an asset of the world. */
export function metadataOf(symbol: AnySymbol, world: World): Record<string, unknown> {
  const market = world.market?.symbol === symbol ? MARKETS[world.market.name] : null;
  return {
    start_utc: startText(world.startMinute),
    optional: world.optional,
    ...(world.sparse === symbol && { sparse: true }),
    ...(market && { session: market.session, day_close: market.day_close }),
    ...(market?.calendar && { calendar: market.calendar.name }),
  };
}

/** The rules that `metadata.agg` stands for, in the worlds that are made here. */
export function rulesOf(metadata: Record<string, unknown>): AssetRules {
  const { start_utc, session, calendar, day_close, quality, sparse } = metadata as {
    start_utc: string;
    session?: Session | keyof typeof PRESETS | "24x7";
    calendar?: string;
    day_close?: AssetRules["dayClose"];
    quality?: { good: number; poor: number };
    sparse?: boolean;
  };
  const calendars: (Calendar | null)[] = Object.values(MARKETS).map(({ calendar }) => calendar);
  return {
    startUtc: Date.parse(start_utc),
    goodPercent: quality?.good ?? 80,
    poorPercent: sparse ? 0 : quality?.poor ?? 60,
    session: session === "24x7" || session === undefined
      ? null
      : typeof session === "string"
      ? PRESETS[session]
      : session,
    calendar: calendars.find((known) => known && known.name === calendar) ?? null,
    dayClose: day_close ?? MIDNIGHT_UTC,
  };
}
