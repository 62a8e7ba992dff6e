import assert from "node:assert/strict";
import { openEngine } from "../support/engine.ts";

interface Panel {
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { rawSql: string; format: string }[];
}

Deno.test("each query of the Grafana dashboard runs with the rights of grant_operations_access, and gives rows", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  const { panels }: { panels: Panel[] } = JSON.parse(
    await Deno.readTextFile(new URL("../../monitoring/grafana.json", import.meta.url)),
  );
  await db.exec(`
    create role test_grafana;
    select public.grant_operations_access('test_grafana');
    insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
    values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    select 'ACME', m, 1, 1, 1, 1
    from generate_series(date_trunc('hour', now()) - interval '3 hours', date_trunc('hour', now()) - interval '1 hour', interval '1 minute') as m;
    select public.agg_run_due();
    insert into agg.alert (kind, canonical_symbol, timeframe, severity, message, raised_at) values ('slow', '*', '*', 'warning', 'slow', now());
    insert into agg.correction (canonical_symbol, timeframe, spans, changed_at)
    select 'ACME', '5m', tstzmultirange(tstzrange(date_trunc('hour', now()) - interval '2 hours', date_trunc('hour', now()) - interval '1 hour')), now();
  `);
  try {
    assert.ok(panels.length >= 9);
    for (const { title, targets } of panels) {
      for (const { rawSql, format } of targets) {
        // What Grafana puts in for its macros.
        const sql = rawSql.replace(
          /\$__timeFilter\((\w+)\)/g,
          "$1 between now() - interval '6 hours' and now() + interval '1 minute'",
        );
        assert.doesNotMatch(sql, /\$/, title);
        await db.exec("set role test_grafana");
        const rows = await db.query<Record<string, unknown>>(sql).finally(() => db.exec("reset role"));
        assert.ok(rows.length > 0, `${title} has no row`);
        if (format === "time_series") assert.ok(rows[0]!["time"] instanceof Date, title);
      }
    }
  } finally {
    await db.exec("drop owned by test_grafana; drop role test_grafana");
  }
});

Deno.test("no panel of the Grafana dashboard covers another", async () => {
  const { panels }: { panels: Panel[] } = JSON.parse(
    await Deno.readTextFile(new URL("../../monitoring/grafana.json", import.meta.url)),
  );
  const covered = new Set<string>();
  for (const { title, gridPos: { x, y, w, h } } of panels) {
    assert.ok(x + w <= 24, title);
    for (let column = x; column < x + w; column++) {
      for (let row = y; row < y + h; row++) {
        assert.ok(!covered.has(`${column} ${row}`), title);
        covered.add(`${column} ${row}`);
      }
    }
  }
});
