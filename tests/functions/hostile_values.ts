import fc from "fast-check";

const ODD_DATES = [
  "",
  "now",
  "infinity",
  "-infinity",
  "epoch",
  "NaN",
  "2025-02-30T00:00:00Z",
  "2025-07-01T24:00:00Z",
  "2025-07-01T23:59:60Z",
  "2025-07-01",
  "2025-07-01 00:00:00+00",
  "2025-07-01T00:00:00+24:00",
  "0000-01-01T00:00:00Z",
  "1899-12-31T23:59:59.999999999Z",
  "1900-01-01T00:00:00+23:59",
  "2199-12-31T23:59:59.999Z",
  "2199-12-31T23:59:59-23:59",
  "9999-12-31T23:59:59Z",
  "+275760-09-13T00:00:00Z",
  "-271821-04-20T00:00:00Z",
  "2025-07-01T00:00:00.0000000000000000001Z",
];

const SQL = [
  "'; drop table public.data_bars; --",
  "DXY' or '1'='1",
  "prod'); truncate public.core_asset_registry_all; select ('",
  "$$; delete from public.data_agg_state; $$",
  "DXY,canonical_symbol.neq.x)",
  "eq.DXY&select=*",
  "DXY%27--",
  "\u0000DXY",
  "\ud800",
  "__proto__",
  "../../rpc/agg_maintain",
];

const NUMBERS = [NaN, Infinity, -Infinity, -0, 1e308, 5e-324, 2 ** 53, -(2 ** 63), 0.1];

/** A value of any type that a field might hold; NaN and infinities become null in JSON. */
const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...ODD_DATES, ...SQL, ...NUMBERS, null, true, [], {}),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.jsonValue({ maxDepth: 4 }),
  fc.integer({ min: 1, max: 20_000 }).map((depth) => nest(depth)),
);

/** JSON whose fields are written as they are, so that depth and digits are not limited by what JavaScript can print. */
class Raw {
  constructor(readonly json: string) {}
}

function nest(depth: number): Raw {
  return new Raw("[".repeat(depth) + "]".repeat(depth));
}

function toJson(value: unknown): string {
  if (value instanceof Raw) return value.json;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}:${toJson(field)}`).join(",")}}`;
}

/** Bodies near those that a function takes: some fields of a good one replaced, left out or added, rows' fields too. */
function nearlyGood(good: Record<string, unknown>): fc.Arbitrary<string> {
  const damaged = (value: unknown): fc.Arbitrary<unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? fc.tuple(
        fc.record(
          Object.fromEntries(
            Object.entries(value).map(([key, field]) => [
              key,
              fc.oneof({ weight: 6, arbitrary: damaged(field) }, { weight: 1, arbitrary: hostileValue }),
            ]),
          ),
          { requiredKeys: [] },
        ),
        fc.dictionary(fc.constantFrom("extra", "__proto__", "constructor", "p_env", "symbol"), hostileValue, {
          maxKeys: 1,
        }),
      ).chain(([kept, added]) =>
        fc.constantFrom({ ...value, ...kept }, { ...value, ...kept, ...added }, { ...kept, ...added })
      )
      : fc.constant(value);
  return damaged(good).map(toJson);
}

/** Bodies of requests: random JSON, text that is not JSON, bare hostile values, and bodies near the good ones. */
export function hostileBody(good: Record<string, unknown>[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.oneof(...good.map(nearlyGood)) },
    { weight: 1, arbitrary: hostileValue.map(toJson) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        `{"env":${"9".repeat(10_000)}}`,
        `{"from":-1e999,"to":1e999}`,
        "[".repeat(200_000),
        `{"env":"prod","env":"'; --"}`,
        `{"from":"2025-07-01T00:00:00Z","to":"2025-07-01T01:00:00Z","symbol":"\\ud800\\udbff"}`,
      ),
    },
  );
}
