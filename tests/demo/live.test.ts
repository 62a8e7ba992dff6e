import assert from "node:assert/strict";
import { cronMatches } from "../../scripts/demo/live.ts";

const at = (time: string) => new Date(`2025-09-22T${time}:00Z`);

Deno.test("cronMatches() names the minutes of a cron expression", () => {
  assert.ok(cronMatches("* * * * *", at("13:07")));
  assert.ok(cronMatches("*/5 * * * *", at("13:05")));
  assert.ok(!cronMatches("*/5 * * * *", at("13:07")));
  assert.ok(cronMatches("7,8 13 * * 1-5", at("13:07")));
  assert.ok(!cronMatches("7,8 13 * * 6,0", at("13:07")));
});

Deno.test("cronMatches() reads the expression in UTC whatever the machine's time zone", () => {
  assert.ok(cronMatches("0 13 * * *", at("13:00")));
  for (const hour of [0, 5, 9, 12, 14, 22]) assert.ok(!cronMatches(`0 ${hour} * * *`, at("13:00")));
});

Deno.test("cronMatches() throws on what is no cron expression of five fields", () => {
  assert.throws(() => cronMatches("30 seconds", at("13:00")));
  assert.throws(() => cronMatches("0 * * * * *", at("13:00")));
});
