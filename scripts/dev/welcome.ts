import type { Job } from "../lib/stack/jobs.ts";
import { KEYS, type Keys } from "../lib/stack/keys.ts";

/** What the welcome tells. `jobs` is null where the database's own pg_cron runs them. */
export interface Running {
  url: string;
  /** The database's own URL. */
  sqlUrl: string;
  keys: Keys;
  database: string;
  functionsFolder: string;
  jobs: readonly Job[] | null;
}

/** The text that the command prints when everything runs: URLs, keys, and what to try. */
export function welcome({ url, sqlUrl, keys, database, functionsFolder, jobs }: Running): string {
  const schedule = jobs?.map((job) => `${job.job_name} (${job.schedule})`).join(", ");
  const named = Object.entries(keys.named).map(([name, key]) => [name.replaceAll("_", "-"), key] as const);
  return `\
pgbars runs at ${url} on ${database}

  Dashboard   ${url}/
  Data API    ${url}/rest/v1
  Functions   ${named.map(([name]) => `${url}/functions/v1/${name}`).join("\n              ")}
  Sign-in     ${url}/auth/v1
  SQL         psql ${sqlUrl}
  Jobs        ${schedule ?? "the database's own pg_cron runs them"}

Keys, valid for this stack only${keys === KEYS ? "" : ", and new at each start"}
  publishable     ${keys.publishable}   reads nothing until bars are opened to a role
  secret          ${keys.secret}        opens the Data API
  ${named.map(([name, key]) => `${name.padEnd(14)}  ${key}`).join("\n  ")}

Try it in another terminal
  curl ${url}/functions/v1/registry-sync -H 'apikey: ${keys.named.registry_sync}' \\
    -H 'content-type: application/json' -d '{}'
or in Deno
  import { createClient } from "npm:@supabase/supabase-js@2";
  const supabase = createClient("${url}", "${keys.secret}");
  console.log(await supabase.from("core_asset_registry_all").select());

A saved file below ${functionsFolder} takes effect at once. Ctrl-C ends everything.
`;
}
