import type { Database } from "../../scripts/lib/database.ts";

/** Installs a trigger that lets the building of chosen symbols fail, or take long. */
export async function installFaults(db: Database): Promise<void> {
  await db.exec(`
    create table public.test_fault (canonical_symbol text primary key, sqlstate text, seconds float8);
    create function public.test_fault() returns trigger language plpgsql as $$
    declare
      v_fault public.test_fault;
    begin
      select f.* into v_fault from public.test_fault as f where f.canonical_symbol = new.canonical_symbol;
      perform pg_sleep(v_fault.seconds);
      if v_fault.sqlstate is not null then
        raise exception 'made to fail' using errcode = v_fault.sqlstate;
      end if;
      return new;
    end;
    $$;
    create trigger test_fault before insert on public.derived_data_bars
      for each row execute function public.test_fault();
  `);
}

/** From now on every derived bar of the symbol raises `sqlstate`, after having slept for `seconds`. */
export async function setFault(
  db: Database,
  symbol: string,
  fault: { sqlstate?: string; seconds?: number },
): Promise<void> {
  await db.query(
    `insert into public.test_fault (canonical_symbol, sqlstate, seconds) values ($1, $2, $3)
     on conflict (canonical_symbol) do update set sqlstate = excluded.sqlstate, seconds = excluded.seconds`,
    [symbol, fault.sqlstate, fault.seconds ?? 0],
  );
}

export async function clearFaults(db: Database): Promise<void> {
  await db.query("delete from public.test_fault");
}
