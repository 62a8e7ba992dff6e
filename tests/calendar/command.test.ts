import assert from "node:assert/strict";
import { join } from "node:path";
import { useCluster } from "../../scripts/lib/cluster.ts";
import { openServer } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";

const project = new URL("../../", import.meta.url);

async function calendar(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "calendar", ...args],
    cwd: project,
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

Deno.test("deno task calendar stores the days of an ICS and of a CSV file, and says what it understood", async () => {
  await using cluster = await useCluster();
  const url = await cluster.createDatabase(`pgbars_calendar_${crypto.randomUUID()}`);
  const db = await openServer(url);
  await migrate(db);
  const folder = await Deno.makeTempDir();
  try {
    const ics = join(folder, "holidays.ics");
    await Deno.writeTextFile(
      ics,
      [
        ...["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test"],
        ...["BEGIN:VEVENT", "UID:1", "DTSTART;VALUE=DATE:20261225", "SUMMARY:Christmas Day", "END:VEVENT"],
        ...[
          "BEGIN:VEVENT",
          "UID:2",
          "DTSTART:20261127T180000Z",
          "DTEND:20261128T050000Z",
          "SUMMARY:Half-day",
          "END:VEVENT",
        ],
        ...["END:VCALENDAR", ""],
      ].join("\r\n"),
    );
    const csv = join(folder, "holidays.csv");
    await Deno.writeTextFile(csv, "day,closes_at,name\n2026-12-25,,Christmas Day\n2026-12-24,13:00,Christmas Eve\n");
    const stored = () =>
      db.query<{ day: string }>(
        `select d.day || ' ' || d.kind || coalesce(to_char(d.closes_at, ' HH24:MI'), '') as day
         from agg.calendar_day as d where d.calendar = 'XTST' order by 1`,
      ).then((rows) => rows.map(({ day }) => day));

    const looked = await calendar("XTST", ics, "--time-zone", "America/New_York");
    assert.equal(looked.code, 0, looked.stderr);
    assert.match(looked.stdout, /2026-11-27 │ Fri │ early close │ +│ 13:00 +│ Half-day/);
    assert.match(looked.stdout, /2026-12-25 │ Fri │ closed +│ +│ +│ Christmas Day/);
    assert.match(looked.stdout, /Nothing is stored/);

    const without = await calendar("XTST", csv, "--db", url);
    assert.equal(without.code, 1);
    assert.match(without.stderr, /p_time_zone must name the time zone of the calendar/);
    assert.deepEqual(await stored(), []);

    const first = await calendar("XTST", ics, "--db", url, "--time-zone", "America/New_York");
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /XTST: days added 2, removed 0, unchanged 0\./);
    assert.deepEqual(await stored(), ["2026-11-27 early_close 13:00", "2026-12-25 closed"]);

    const again = await calendar("XTST", ics, "--db", url);
    assert.match(again.stdout, /XTST: days added 0, removed 0, unchanged 2\./, again.stderr);

    const second = await calendar("XTST", csv, "--db", url);
    assert.match(second.stdout, /XTST: days added 1, removed 1, unchanged 1\./, second.stderr);
    assert.match(second.stdout, /2026-12-24 │ Thu │ early close │ +│ 13:00 +│ line 3/);
    assert.deepEqual(await stored(), ["2026-12-24 early_close 13:00", "2026-12-25 closed"]);

    await Deno.writeTextFile(csv, "day,closes_at\n2026-12-25,25:00\n");
    const refused = await calendar("XTST", csv, "--db", url);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /entry 1, .*: early_close needs closes_at/);
    assert.equal((await stored()).length, 2);

    const unknown = await calendar("XTST", join(folder, "holidays.xlsx"));
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /holidays\.xlsx: the name must end in \.csv or \.ics/);
    const zone = await calendar("XTST", csv, "--time-zone", "Mars/Olympus");
    assert.match(zone.stderr, /Give the name of a time zone/);
  } finally {
    await Deno.remove(folder, { recursive: true });
    await db.close();
  }
});
