import type { Database } from "../lib/database.ts";
import { minute } from "./market.ts";
import { type Measurement, median, time } from "./measure.ts";

const FEW = 10_000;
const MANY = 100_000;
const ROUNDS = 10;

interface Times {
  batch: number;
  ten: number;
  idle: number;
}

/** What a claim costs where as many tasks are due as it takes, and where many more are. Without statistics of the tables. */
export async function measureClaim(open: (name: string) => Promise<Database>, scale: number): Promise<Measurement[]> {
  const few = Math.ceil(FEW / scale);
  const many = Math.ceil(MANY / scale);
  const among = await claimAmong(await open("claim_few"), few, few / 2);
  const amongMany = await claimAmong(await open("claim_many"), many, few / 2);
  const work = `claim of ${few / 2} of ${many} due tasks`;
  return [
    {
      work,
      pgbars: amongMany.batch,
      against: { name: `of ${few} due tasks`, milliseconds: among.batch },
      budget: { text: "at most 1.5x its time", met: amongMany.batch <= 1.5 * among.batch },
    },
    {
      work: `claim of 10 of ${many} due tasks`,
      pgbars: amongMany.ten,
      budget: { text: "under 2 ms", met: amongMany.ten < 2 },
    },
    {
      work: `idle run, ${many} tasks`,
      pgbars: amongMany.idle,
      budget: { text: "under 2 ms", met: amongMany.idle < 2 },
    },
  ];
}

async function claimAmong(db: Database, tasks: number, limit: number): Promise<Times> {
  try {
    // Two tasks an asset.
    await db.exec(`
      update public.core_asset_registry_all set active = false;
      insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
      select 'S' || n, true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}' from generate_series(1, ${
      tasks / 2
    }) as n`);
    const claim = async (count: number) => {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        await db.exec("begin");
        times.push(
          await time(async () => {
            const [row] = await db.query<{ claimed: number }>(
              "select cardinality(symbols) as claimed from agg.claim_due_tasks('prod', $1, $2)",
              [count, minute(120)],
            );
            if (row?.claimed !== count) throw new Error(`${row?.claimed} tasks were claimed instead of ${count}`);
          }),
        );
        await db.exec("rollback");
      }
      return median(times);
    };
    const batch = await claim(limit);
    const ten = await claim(10);
    const idle: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      idle.push(await time(() => db.query("select public.agg_run_due(p_now => $1)", [minute(6)])));
    }
    return { batch, ten, idle: median(idle) };
  } finally {
    await db.close();
  }
}
