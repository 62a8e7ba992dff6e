import assert from "node:assert/strict";
import fc from "fast-check";
import { Row } from "../../cli/lib/import/row.ts";
import { readTime, timeReader } from "../../cli/lib/import/time.ts";

const digits = (maxLength: number) => fc.string({ unit: fc.constantFrom(..."0123456789"), maxLength });

Deno.test("Row.number() is what Number() makes of a plain number, to the last bit, and NaN of any other text", () => {
  const row = new Row(",", 3);
  const check = (text: string, isPlain: boolean) => {
    row.read(`1.5,${text},x`);
    assert.equal(row.length, 3);
    const number = row.number(1);
    if (isPlain) assert.ok(Object.is(number, Number(text)), `${text} is ${number}`);
    else assert.ok(Number.isNaN(number), `${text} is ${number}`);
    assert.equal(row.text(1), text.trim());
  };
  fc.assert(
    fc.property(fc.constantFrom("", "-"), digits(8), digits(7), fc.boolean(), (sign, whole, part, hasPoint) => {
      const text = sign + whole + (hasPoint ? `.${part}` : "");
      check(text, whole + (hasPoint ? part : "") !== "");
    }),
    { numRuns: 2000 },
  );
  for (const text of ["-0", "0.1", "00012.50", "123456789012345", ".5", "5.", "0.00000000000001"]) check(text, true);
  for (const text of ["", "-", ".", "1e5", " 1", "+1", "1_0", "1.2.3", "--1", "null", "1234567890123456", "NaN"]) {
    check(text, false);
  }
});

Deno.test("timeReader() reads every time as readTime() does, whatever came before it", () => {
  const day = fc.constantFrom("2026-01-02", "2026-01-03", "2026.03.08", "31.12.2025", "2026-02-30", "20260102");
  const clock = fc.constantFrom("00:00", "09:30", "23:59", "24:00", "12:60", "0930", "1:30", "ab:cd");
  const rest = fc.constantFrom(
    "",
    ":00",
    ":00.5",
    ":30Z",
    "Z",
    "+01:00",
    "-05:00",
    " Europe/Berlin",
    " GMT+0300",
    ":00:00",
  );
  const time = fc.oneof(
    fc.tuple(day, fc.constantFrom("T", " ", ""), clock, rest).map((parts) => parts.join("")),
    fc.constantFrom("1767364200", "1767364260000", "2026-01-02", "", "09:30"),
  );
  const outcome = (read: () => unknown) => {
    try {
      return JSON.stringify(read());
    } catch (error) {
      return (error as Error).message;
    }
  };
  fc.assert(
    fc.property(fc.array(time, { minLength: 2, maxLength: 12 }), (times) => {
      const read = timeReader();
      for (const text of times) assert.equal(outcome(() => read(text)), outcome(() => readTime(text)), text);
    }),
    { numRuns: 1000 },
  );
});
