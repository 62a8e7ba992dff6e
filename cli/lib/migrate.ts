import { codeOf, type Database, type Statements } from "./database.ts";
import { describeError } from "./error.ts";
import { Failure, Refusal } from "./failure.ts";
import { compareVersions, missingReleases, type Release } from "./releases.ts";

/** The version that a database has; undefined where pgbars is not installed. */
export async function readVersion(statements: Statements): Promise<string | undefined> {
  // Locks a table of the catalog. Without that, a transaction that has waited would read the function of before.
  const [found] = await statements.query(
    `select from pg_catalog.pg_proc as p
     join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
     where n.nspname = 'agg' and p.proname = 'version' and p.pronargs = 0`,
  );
  if (found === undefined) return undefined;
  const [row] = await statements.query<{ version: string }>("select agg.version() as version");
  return row!.version;
}

/** Throws a {@link Refusal} for a database that is newer than the newest of `releases`. */
export function refuseNewer(installed: string | undefined, releases: readonly Release[]): void {
  const own = releases.at(-1)!.version;
  if (installed === undefined || compareVersions(installed, own) <= 0) return;
  throw new Refusal(`The database has pgbars ${installed}, and this program brings ${own}: run a newer one.`);
}

/**
 * Applies the first of the releases that a database does not have, in one transaction, and records it in
 * `pgbars_releases.release`. Two calls at once wait for each other. Returns its version, undefined where the database has all. A
 * release that fails is rolled back, and the database works as it did before. Throws {@link Locked} where another session holds
 * a table for two seconds, or a batch of the dispatcher takes a minute.
 */
export async function applyNext(
  db: Database,
  releases: readonly Release[],
  onRelease: (version: string) => void,
): Promise<string | undefined> {
  return await db.transaction(async (transaction) => {
    await prepare(transaction);
    const [next] = await findMissing(transaction, releases);
    if (next === undefined) return undefined;
    onRelease(next.version);
    // Writers queue behind a lock that is waited for.
    await transaction.exec("set local lock_timeout = '2s'");
    await apply(transaction, next);
    return next.version;
  });
}

/** Another session has held for too long what is needed. */
export class Locked extends Failure {
  constructor(problem: string, cause: unknown) {
    const query = "select pid, state, xact_start, query from pg_stat_activity order by xact_start;";
    super(`${problem} Nothing has changed. Try again later, or end what holds it: ${query} shows it.`, { cause });
  }
}

function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === "55P03";
}

/** The releases that a database does not have. */
export async function findMissing(statements: Statements, releases: readonly Release[]): Promise<Release[]> {
  const installed = await readVersion(statements);
  refuseNewer(installed, releases);
  return missingReleases(releases, installed);
}

/**
 * Begins work on the schema in a transaction: one at a time, with no limit of time but for locks. The dispatcher pauses until
 * it ends: a batch at work is waited for before a table is locked, so that writers do not wait for it too, and runs that start
 * meanwhile answer "busy".
 */
export async function prepare(transaction: Statements): Promise<void> {
  try {
    await transaction.exec(`
      set local statement_timeout = 0;
      set local idle_in_transaction_session_timeout = 0;
      set local lock_timeout = 0;
      select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('pgbars migrate'));
      set local lock_timeout = '60s';
      do $$
      begin
        if exists (
          select from pg_catalog.generate_series(0, 3) as l (no)
          where not pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('pgbars.agg_run_due', l.no))
        ) then
          raise notice 'The dispatcher is at work: waiting for its batch to end ...';
          perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('pgbars.agg_run_due', l.no))
          from pg_catalog.generate_series(0, 3) as l (no);
        end if;
      end;
      $$;
    `);
  } catch (cause) {
    if (isLockTimeout(cause)) throw new Locked("A batch of the dispatcher has not ended within 60 s.", cause);
    throw cause;
  }
}

/** Applies one release and records it. Throws where the database is not of its version then. */
export async function apply(transaction: Statements, { version, migrations }: Release): Promise<void> {
  for (const migration of migrations) {
    try {
      await transaction.exec(migration.sql);
    } catch (cause) {
      const file = `${migration.version}_${migration.name}.sql`;
      if (isLockTimeout(cause)) throw new Locked(`${file} was rolled back: another session holds a table.`, cause);
      throw new Failure(`${file} failed and was rolled back: ${describeError(cause)}`, { cause });
    }
  }
  const installed = await readVersion(transaction);
  if (installed !== version) throw new Failure(`Release ${version} has made a database of version ${installed}.`);
  await transaction.exec(`
    create schema if not exists pgbars_releases;
    create table if not exists pgbars_releases.release (
      version text primary key,
      installed_at timestamptz not null default now()
    );
    notify pgrst, 'reload schema';
  `);
  await transaction.query(
    `insert into pgbars_releases.release as r (version) values ($1)
     on conflict (version) do update set installed_at = excluded.installed_at`,
    [version],
  );
}
