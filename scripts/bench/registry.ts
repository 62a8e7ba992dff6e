import type { Database } from "../lib/database.ts";
import { type Measurement, median, time } from "./measure.ts";

const FEW = 1000;
const MANY = 10_000;
const CHANGES = 50;
const SYNCS = 5;

interface Times {
  /** Milliseconds for a statement that switches one asset. */
  change: number;
  /** Milliseconds for a sync of all assets that finds nothing to do. */
  sync: number;
}

/** What a change of the registry, and a sync of it, cost among few assets and among many, without statistics of the tables. */
export async function measureRegistry(open: (name: string) => Promise<Database>): Promise<Measurement[]> {
  const few = await measureAmong(await open("registry_few"), FEW);
  const many = await measureAmong(await open("registry_many"), MANY);
  const scale = MANY / FEW;
  return [
    {
      work: `an asset switched on or off among ${MANY}`,
      pgbars: many.change,
      against: { name: `the same among ${FEW}`, milliseconds: few.change },
      budget: { text: `less than ${scale / 2}x the time`, met: many.change < scale / 2 * few.change },
    },
    {
      work: `a sync of ${MANY} assets that finds nothing to do`,
      pgbars: many.sync,
      against: { name: `${scale} of ${FEW} assets`, milliseconds: scale * few.sync },
      budget: { text: "at most twice the time", met: many.sync <= 2 * scale * few.sync },
    },
  ];
}

async function measureAmong(db: Database, assets: number): Promise<Times> {
  try {
    await db.exec(`
      insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
      select 'S' || n, true, jsonb_build_object('agg', jsonb_build_object(
        'start_utc', '2025-07-01T00:00:00Z', 'quality', jsonb_build_object('good', 80 + n % 20),
        'session', jsonb_build_object('time_zone', 'America/New_York', 'weekly', jsonb_build_array(
          jsonb_build_object('open', 'Mon 09:30', 'close', 'Mon 16:00')
        ))
      ))
      from generate_series(1, ${assets}) as n`);
    const change: number[] = [];
    for (let n = 1; n <= CHANGES; n++) {
      change.push(
        await time(() =>
          db.query("update public.core_asset_registry_all set active = not active where canonical_symbol = $1", [
            `S${n}`,
          ])
        ),
      );
    }
    const sync: number[] = [];
    for (let n = 0; n < SYNCS; n++) {
      sync.push(await time(() => db.query("select public.sync_agg_state_from_registry()")));
    }
    return { change: median(change), sync: median(sync) };
  } finally {
    await db.close();
  }
}
