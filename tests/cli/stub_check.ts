import type { Database } from "../../scripts/lib/database.ts";

/** A function in place of agg_check, of one check besides the verdict: both have the status. */
export async function stubCheck(db: Database, status: string): Promise<void> {
  await db.exec(`
    drop function if exists public.agg_check;
    create function public.agg_check(p_now timestamptz default now())
    returns table ("check" text, subject text, status text, value text, hint text) language sql as $$
      values ('verdict', '*', '${status}', '2 checks', ''), ('bars', 'EURUSD', '${status}', 'none', 'wait')
    $$;
    do $$ begin grant execute on function public.agg_check to service_role; exception when undefined_object then end; $$;
  `);
}
