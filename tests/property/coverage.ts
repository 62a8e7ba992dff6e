import type { Reference } from "../support/reference.ts";

/** Both sides of every quality threshold, in minutes covered of a 24x7 window with the default thresholds. */
export const EDGES = [
  "5m: 2 minutes covered",
  "5m: 3 minutes covered",
  "5m: 4 minutes covered",
  "5m: 5 minutes covered",
  "1h: 35 minutes covered",
  "1h: 36 minutes covered",
  "1h: 47 minutes covered",
  "1h: 48 minutes covered",
  "1h: 59 minutes covered",
  "1h: 60 minutes covered",
];

/** Counts how often windows with the default rules had which coverage. */
export function countCoverage(seen: Map<string, number>, assets: Reference[]): void {
  for (const { rules, windows } of assets) {
    if (rules.session !== null || rules.calendar !== null || rules.goodPercent !== 80 || rules.poorPercent !== 60) {
      continue;
    }
    for (const timeframe of ["5m", "1h"] as const) {
      for (const { content } of windows[timeframe]) {
        const edge = `${timeframe}: ${content.coveredMinutes} minutes covered`;
        seen.set(edge, (seen.get(edge) ?? 0) + 1);
      }
    }
  }
}
