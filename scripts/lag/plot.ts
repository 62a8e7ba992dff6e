import { type Group, GROUPS, type Sample } from "./simulate.ts";

const WIDTH = 760;
const HEIGHT = 360;
const LEFT = 60;
const RIGHT = 110;
const TOP = 40;
const BOTTOM = 45;
const LAG_TICKS = [0, 1, 5, 20, 100, 500];
const COLORS: Record<Group, string> = {
  "live 5m": "#0072b2",
  "live 1h": "#56b4e9",
  "behind 5m": "#d55e00",
  "behind 1h": "#e69f00",
};

/** Draws the samples as an SVG: lag over time, a line a group. Lags are on a logarithmic scale that begins at 0. */
export function plot(title: string, samples: Sample[]): string {
  const minutes = Math.max(...samples.map(({ minute }) => minute));
  const x = (minute: number) => LEFT + (WIDTH - LEFT - RIGHT) * minute / minutes;
  const y = (lag: number) =>
    HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * Math.log1p(lag) / Math.log1p(LAG_TICKS.at(-1)!);
  const hours = Array.from({ length: Math.floor(minutes / 60) + 1 }, (_, hour) => hour);
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="${LEFT}" y="22" font-size="14">${title}</text>`,
    ...LAG_TICKS.flatMap((lag) => [
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y(lag))}" y2="${round(y(lag))}" stroke="#ddd"/>`,
      `<text x="${LEFT - 8}" y="${round(y(lag) + 4)}" text-anchor="end">${lag}</text>`,
    ]),
    ...hours.map((hour) =>
      `<text x="${round(x(hour * 60))}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${hour} h</text>`
    ),
    `<text x="${LEFT}" y="${HEIGHT - 8}">time since the beginning; lag in minutes</text>`,
    ...GROUPS.map((group, index) => {
      const points = samples.filter((sample) => sample.group === group)
        .map(({ minute, lag }) => `${round(x(minute))},${round(y(lag))}`);
      const labelY = TOP + 20 + index * 18;
      return `<polyline fill="none" stroke="${COLORS[group]}" stroke-width="1.5" points="${points.join(" ")}"/>` +
        `<text x="${WIDTH - RIGHT + 12}" y="${labelY}" fill="${COLORS[group]}">${group}</text>`;
    }),
    "</svg>",
  ];
  return lines.join("\n") + "\n";
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
