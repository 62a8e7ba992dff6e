import assert from "node:assert/strict";
import { readZone } from "../../cli/lib/import/zone.ts";

/** What a clock shows, and when. */
const CASES: [zone: string, wall: string, utc: string | "twice" | "never"][] = [
  ["UTC", "2026-07-01T00:00", "2026-07-01T00:00Z"],
  ["-05:00", "2026-07-01T00:00", "2026-07-01T05:00Z"],
  ["+05:30", "2026-07-01T00:00", "2026-06-30T18:30Z"],
  ["+02", "2026-07-01T00:00", "2026-06-30T22:00Z"],
  ["America/New_York", "2026-07-01T00:00", "2026-07-01T04:00Z"],
  ["America/New_York", "2026-01-01T00:00", "2026-01-01T05:00Z"],
  ["America/New_York", "2026-03-08T02:30", "never"],
  ["America/New_York", "2026-11-01T01:00", "twice"],
  ["America/New_York", "2026-11-01T02:00", "2026-11-01T07:00Z"],
  ["Australia/Lord_Howe", "2026-04-05T01:29", "2026-04-04T14:29Z"],
  ["Australia/Lord_Howe", "2026-04-05T01:45", "twice"],
  ["Australia/Lord_Howe", "2026-10-04T02:15", "never"],
  ["Asia/Kathmandu", "2026-01-01T00:00", "2025-12-31T18:15Z"],
  // Between the change in New York and that in Europe, the two clocks of brokers differ.
  ["NewYork+7", "2026-03-10T00:00", "2026-03-09T21:00Z"],
  ["Europe/Helsinki", "2026-03-10T00:00", "2026-03-09T22:00Z"],
  ["NewYork+7", "2026-04-10T00:00", "2026-04-09T21:00Z"],
  ["NewYork+7", "2026-01-10T00:00", "2026-01-09T22:00Z"],
  ["NewYork+7", "2026-11-01T08:30", "twice"],
  // The trading week begins at midnight of such a clock.
  ["NewYork+7", "2026-11-02T00:00", "2026-11-01T22:00Z"],
];

for (const [name, wall, utc] of CASES) {
  Deno.test(`readZone() has ${wall} on the clock of ${name} at ${utc}`, () => {
    const converted = readZone(name).toUtc(Date.parse(`${wall}Z`));
    assert.equal(
      typeof converted === "number" ? new Date(converted).toISOString().replace(":00.000Z", "Z") : converted,
      utc,
    );
  });
}

Deno.test("readZone() follows a whole year of New York, minute by minute, as the clock does", () => {
  const zone = readZone("America/New_York");
  const clock = new Intl.DateTimeFormat("en-CA", {
    timeZone: "America/New_York",
    dateStyle: "short",
    timeStyle: "medium",
    hourCycle: "h23",
  });
  for (let instant = Date.UTC(2026, 0, 1); instant < Date.UTC(2027, 0, 1); instant += 13 * 60_000) {
    const wall = Date.parse(`${clock.format(instant).replace(", ", "T")}Z`);
    const converted = zone.toUtc(wall);
    if (converted !== "twice") assert.equal(converted, instant);
    else assert.equal(new Date(instant).toISOString().slice(0, 10), "2026-11-01");
  }
});

for (const name of ["EST", "EST5EDT", "UTC-5", "IST", "Foo5", "CET", "Foo/Bar", "", "+25:00", "NewYork", "local"]) {
  Deno.test(`readZone() does not take ${JSON.stringify(name)}, and says what to give`, () => {
    assert.throws(() => readZone(name), /give a name/);
  });
}
