import { MINUTE } from "../../../model/aggregator.ts";
import type { Bars, Span, WriteOp } from "../../../model/ops.ts";

/** What a statement wrote: rows, and the times of the first and the last of them, in milliseconds since 1970. */
export interface Written {
  rows: number;
  symbols: string[] | null;
  from: number | null;
  to: number | null;
}

const SUMMARY = `select count(*) as rows, array_agg(distinct w.canonical_symbol) as symbols,
  (extract(epoch from min(w.ts_utc)) * 1000)::bigint as from, (extract(epoch from max(w.ts_utc)) * 1000)::bigint as to from w`;

/** The statement for a write at the clock `now`, which returns one row of {@link Written}. */
export function writeStatement(op: Exclude<WriteOp, { kind: "load" }>, now: number): string {
  switch (op.kind) {
    case "write":
      return returning(`${insertion(op, now)} ${CONFLICT[op.how]}`);
    case "edit":
      return returning(`update public.data_bars set vol = coalesce(vol, 0) + 1, close = open where ${spanOf(op, now)}`);
    case "delete":
      return returning(`delete from public.data_bars where ${spanOf(op, now)}`);
    case "move":
      return returning(
        `update public.data_bars set canonical_symbol = '${op.to}', ts_utc = ts_utc + interval '${op.minutes} minutes'
         where ${spanOf(op, now)}`,
      );
  }
}

/** The statements of a load with the triggers off: the bars, and the note. */
export function loadStatements(op: Bars, now: number): { bars: string; note: string } {
  const [from, to] = boundsOf(op, now);
  const symbols = op.symbols.map((symbol) => `'${symbol}'`);
  return {
    bars: `set session_replication_role = replica;
      ${insertion(op, now)} ${CONFLICT.upsert};
      set session_replication_role = origin;`,
    note: `select public.agg_add_change_note(array[${symbols}], ${from}, ${to});`,
  };
}

const CONFLICT = {
  insert: "",
  ignore: "on conflict do nothing",
  upsert: `on conflict (canonical_symbol, timeframe, ts_utc) do update set
    open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
    vol = excluded.vol, vwap = excluded.vwap, trade_count = excluded.trade_count, is_partial = excluded.is_partial,
    source = excluded.source`,
};

function insertion(op: Bars, now: number): string {
  const symbols = op.symbols.map((symbol) => `'${symbol}'`);
  return `insert into public.data_bars
    (canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial, source)
    select * from public.test_bars(array[${symbols}], ${
    boundsOf(op, now)[0]
  }, ${op.length}, ${op.density}, ${op.seed})`;
}

function returning(statement: string): string {
  return `with w as (${statement} returning canonical_symbol, ts_utc) ${SUMMARY}`;
}

function spanOf(op: Span & { symbol: string }, now: number): string {
  const [from, to] = boundsOf(op, now);
  return `canonical_symbol = '${op.symbol}' and ts_utc >= ${from} and ts_utc < ${to}`;
}

function boundsOf({ back, length }: Span, now: number): [string, string] {
  const from = Math.floor(now / MINUTE) * MINUTE - back * MINUTE;
  return [literal(from), literal(from + length * MINUTE)];
}

function literal(instant: number): string {
  return `timestamptz '${new Date(instant).toISOString()}'`;
}
