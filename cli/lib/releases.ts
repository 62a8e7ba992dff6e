import type { Migration } from "./migrations.ts";

/** One version of the schema: the migrations that lead to it from the release before. */
export interface Release {
  version: string;
  migrations: Migration[];
}

/**
 * The version that a migration named `pgbars_<X>_<Y>_<Z>` ends; undefined for any other name.
 */
export function releasedVersion(name: string): string | undefined {
  return /^pgbars_(\d+)_(\d+)_(\d+)$/.exec(name)?.slice(1).join(".");
}

/** Splits migrations into releases. Those after the last release are of no version yet, and are left out. */
export function splitReleases(migrations: readonly Migration[]): Release[] {
  const releases: Release[] = [];
  let waiting: Migration[] = [];
  for (const migration of migrations) {
    waiting.push(migration);
    const version = releasedVersion(migration.name);
    if (version === undefined) continue;
    releases.push({ version, migrations: waiting });
    waiting = [];
  }
  return releases;
}

/** Less than 0 where version `a` is older than `b`, 0 where they are the same. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number)) as [number[], number[]];
  const differing = left.findIndex((part, index) => part !== right[index]);
  return differing < 0 ? 0 : left[differing]! - right[differing]!;
}

/** The releases after the version that is installed; all of them where `installed` is undefined. */
export function missingReleases(releases: readonly Release[], installed: string | undefined): Release[] {
  return releases.filter(({ version }) => installed === undefined || compareVersions(version, installed) > 0);
}
