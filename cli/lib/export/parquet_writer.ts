import { fileWriter, ParquetWriter } from "hyparquet-writer";
import { VERSION } from "../version.ts";
import type { Row } from "./row.ts";
import type { RowWriter } from "./writers.ts";

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]["schema"][number];

/** Rows in a group, which is what is held in memory. */
const GROUP = 100_000;

const REQUIRED = "REQUIRED";
const OPTIONAL = "OPTIONAL";

/**
 * One schema for all files: without types, whole numbers would become INT32, an empty column bytes, and the files of two
 * months could not be read together. Microseconds, since Postgres and DuckDB have them.
 */
const FIELDS: readonly SchemaElement[] = [
  { name: "canonical_symbol", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: REQUIRED },
  { name: "timeframe", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: REQUIRED },
  {
    name: "ts_utc",
    type: "INT64",
    converted_type: "TIMESTAMP_MICROS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
    repetition_type: REQUIRED,
  },
  ...["open", "high", "low", "close"].map((name): SchemaElement => ({
    name,
    type: "DOUBLE",
    repetition_type: REQUIRED,
  })),
  ...["vol", "vwap"].map((name): SchemaElement => ({ name, type: "DOUBLE", repetition_type: OPTIONAL })),
  { name: "trade_count", type: "INT64", repetition_type: OPTIONAL },
  { name: "is_partial", type: "BOOLEAN", repetition_type: REQUIRED },
  { name: "quality_score", type: "INT32", repetition_type: OPTIONAL },
];

export function openParquetWriter(path: string): RowWriter {
  const writer = new ParquetWriter({
    writer: fileWriter(path),
    schema: [{ name: "root", num_children: FIELDS.length }, ...FIELDS],
    createdBy: `pgbars ${VERSION}`,
  });
  let waiting: Row[] = [];
  const writeGroup = async (rows: readonly Row[]) =>
    await writer.write({
      rowGroupSize: GROUP,
      columnData: FIELDS.map(({ name }) => ({
        name,
        data: rows.map((row) => name === "ts_utc" ? BigInt(row.ts) * 1000n : row[name as Exclude<keyof Row, "ts">]),
      })),
    });
  return {
    write: async (rows) => {
      for (const row of rows) waiting.push(row);
      while (waiting.length >= GROUP) {
        await writeGroup(waiting.slice(0, GROUP));
        waiting = waiting.slice(GROUP);
      }
    },
    end: async () => {
      if (waiting.length > 0) await writeGroup(waiting);
      await writer.finish();
    },
  };
}
