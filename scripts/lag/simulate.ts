import type { Database } from "../lib/database.ts";

/** What dispatchers may do in a minute of the simulation: far less than what is due at its beginning. */
const BATCHES = 2;
const TASKS = 10;
const WINDOWS = 10;

const SYMBOLS = 20;
const BEHIND_HOURS = 8;
const START = Date.parse("2025-07-01T12:00:00Z");
const MINUTE = 60_000;

/** The greatest lag of some tasks, in minutes, at a minute of the simulation. */
export interface Sample {
  minute: number;
  group: Group;
  lag: number;
}

export const GROUPS = ["live 5m", "live 1h", "behind 5m", "behind 1h"] as const;
export type Group = typeof GROUPS[number];

export interface Simulation {
  /** How many windows were due at the beginning, for each window that a minute allows. */
  overload: number;
  samples: Sample[];
}

/**
 * Lets a dispatcher work on a clock of its own for `minutes`. Twenty symbols are live: all of their windows fall due during
 * the simulation. Twenty more are eight hours behind. All tasks are mandatory. Needs an empty, migrated database.
 */
export async function simulate(db: Database, minutes: number): Promise<Simulation> {
  const at = (minute: number) => new Date(START + minute * MINUTE);
  await db.exec(`
    update public.core_asset_registry_all set active = false;
    insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
    select g.kind || ' ' || s, true, jsonb_build_object('agg', jsonb_build_object('start_utc', g.start_utc))
    from (values
      ('live', '${at(0).toISOString()}'), ('behind', '${at(-BEHIND_HOURS * 60).toISOString()}')
    ) as g (kind, start_utc)
    cross join generate_series(1, ${SYMBOLS}) as s;
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    select r.canonical_symbol, m.ts_utc, 1, 1, 1, 1
    from public.core_asset_registry_all as r
    cross join lateral generate_series(
      (r.metadata -> 'agg' ->> 'start_utc')::timestamptz, '${
    at(minutes).toISOString()
  }'::timestamptz, interval '1 minute'
    ) as m (ts_utc)
    where r.active;
  `);
  const [due] = await db.query<{ windows: number }>(
    `select sum(floor(extract(epoch from $1 - t.decided_to_utc) / extract(epoch from t.window_length)))::integer as windows
     from agg.task as t
     where t.enabled and t.decided_to_utc < $1`,
    [at(0)],
  );

  const samples: Sample[] = [];
  for (let minute = 0; minute <= minutes; minute++) {
    for (let batch = 0; batch < BATCHES; batch++) {
      await db.query("select agg.run_batch(p_now => $1, p_limit => $2, p_batch_windows => $3)", [
        new Date(at(minute).getTime() + batch * 20_000),
        TASKS,
        WINDOWS,
      ]);
    }
    const lags = await db.query<{ group: Group; lag: number }>(
      `select
         split_part(t.canonical_symbol, ' ', 1) || ' ' || t.timeframe as group,
         max(greatest(0, extract(epoch from $1 - t.due_at) / 60))::float8 as lag
       from agg.task as t
       where t.enabled and t.is_mandatory
       group by 1`,
      [at(minute)],
    );
    samples.push(...lags.map((lag) => ({ minute, ...lag })));
  }
  return { overload: due!.windows / (BATCHES * WINDOWS), samples };
}
