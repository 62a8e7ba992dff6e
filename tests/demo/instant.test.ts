import assert from "node:assert/strict";
import { readInstant } from "../../scripts/demo/instant.ts";

const noon = Date.UTC(2026, 0, 5, 12);

Deno.test("readInstant() reads ISO 8601 date and time with a zone, to the microsecond", () => {
  const cases: [text: string, milliseconds: number, microseconds: number][] = [
    ["2026-01-05T12:00:00Z", noon, 0],
    ["2026-01-05T12:00Z", noon, 0],
    ["2026-01-05 12:00z", noon, 0],
    ["2026-01-05T12:00:00.000000000Z", noon, 0],
    ["2026-01-05T12:00:00.1Z", noon + 100, 0],
    ["2026-01-05T12:00:00.123456Z", noon + 123, 456],
    ["2026-01-05T12:00:00.1234560000Z", noon + 123, 456],
    ["2026-01-05 12:00:00+00", noon, 0],
    ["2026-01-05 12:00:00+0000", noon, 0],
    ["2026-01-05 12:00:00+00:00", noon, 0],
    ["2026-01-05 12:00:00 UTC", noon, 0],
    ["2026-01-05 12:00:00UTC", noon, 0],
    ["2026-01-05T17:30 +0530", noon, 0],
    ["2026-01-05T07:00-05", noon, 0],
    ["2026-01-06T03:59:59.999999+15:59", noon + 59_999, 999],
    ["1969-12-31T23:59:59.999999Z", -1, 999],
    ["2024-02-29T00:00Z", Date.UTC(2024, 1, 29), 0],
  ];
  for (const [text, milliseconds, microseconds] of cases) {
    assert.deepEqual(readInstant(text), { milliseconds, microseconds }, text);
  }
});

Deno.test("readInstant() tells apart what lacks only its zone", () => {
  for (const text of ["2026-01-05T12:00:00", "2026-01-05 12:00", "2026-01-05T12:00:00.000000000"]) {
    assert.equal(readInstant(text), "without zone");
  }
});

Deno.test("readInstant() refuses everything else", () => {
  for (
    const text of [
      ...["", "now", "2026-01-05", "20260105T120000Z", "2026-1-5T12:00Z", "05/01/2026 12:00Z", "1767614400"],
      ...["2026-02-30T12:00Z", "2025-02-29T12:00Z", "2026-01-05T24:00Z", "2026-01-05T12:60Z", "2026-01-05T12:00:60Z"],
      ...["2026-01-05T12Z", "2026-01-05T12:00.5Z", "2026-01-05T12:00:00,5Z", "2026-01-05T12:00:00.Z"],
      ...["2026-01-05T12:00:00.0000001Z", "2026-01-05T12:00  Z", "2026-01-05  12:00Z", " 2026-01-05T12:00Z"],
      ...[
        "2026-01-05T12:00 CET",
        "2026-01-05T12:00+16",
        "2026-01-05T12:00+01:60",
        "2026-01-05T12:00+1",
        "2026-01-05T12:00Z\n",
      ],
    ]
  ) assert.equal(readInstant(text), undefined, JSON.stringify(text));
});
