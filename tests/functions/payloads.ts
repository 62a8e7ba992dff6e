/** A payload as a database webhook sends it; which rows it carries follows from the type. */
export function webhook(type: "INSERT" | "UPDATE" | "DELETE", table: string, row: unknown, oldRow: unknown = row) {
  return {
    type,
    table,
    schema: "public",
    record: type === "DELETE" ? null : row,
    old_record: type === "INSERT" ? null : oldRow,
  };
}

/** A registry row as a webhook carries it. */
export function asset(symbol: string, active = true) {
  return {
    canonical_symbol: symbol,
    asset_class: "fx",
    description: null,
    active,
    test_active: false,
    is_active: active,
    metadata: {},
    created_at: "2025-07-01T00:00:00.123456+00:00",
    updated_at: "2025-07-01T00:00:00.123456+00:00",
  };
}

/** A 1m bar as a webhook carries it; `time` is as Postgres writes a timestamptz into JSON. */
export function bar(symbol: string, time: string) {
  return {
    canonical_symbol: symbol,
    timeframe: "1m",
    ts_utc: time,
    open: 1,
    high: 1,
    low: 1,
    close: 1,
    vol: null,
    vwap: null,
    trade_count: null,
    is_partial: false,
    source: "ingest",
    ingested_at: time,
    raw: {},
  };
}
